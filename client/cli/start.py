"""`mission start`: only start it."""

from pathlib import Path

from client.cli import arguments, mission_request
from client.cli.mission_request import make_request
from client.cli.output import print_json, say
from client.cli.running import command
from client.cli.showing import link_to
from client.missions import MissionClient
from client.stack.launch import ensure_model
from client.stack.records import WORKER, look
from runtime.settings import Settings
from runtime.temporal import find_target


@command
async def start(
    objective: mission_request.Objective,
    directory: mission_request.Dir = Path(),
    model: mission_request.Model = None,
    planner_model: mission_request.PlannerModel = None,
    worker_model: mission_request.WorkerModel = None,
    reviewer_model: mission_request.ReviewerModel = None,
    parallel: mission_request.Parallel = None,
    checks: mission_request.Checks = None,
    max_rounds: mission_request.MaxRounds = None,
    review: mission_request.ReviewWhat = None,
    include_changes: mission_request.IncludeChanges = None,
    scenario: arguments.ScenarioFile = None,
    model_log: arguments.ModelLog = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Start a mission and print its id. Temporal must be running."""
    settings = Settings.from_environment()
    request = make_request(
        settings,
        objective,
        directory,
        scenario,
        model_log,
        model=model,
        planner_model=planner_model,
        worker_model=worker_model,
        reviewer_model=reviewer_model,
        parallel=parallel,
        checks=checks,
        max_rounds=max_rounds,
        review=review,
        include_changes=include_changes,
    )
    mission = request.mission
    client = await MissionClient.connect(settings)
    request.hand_scenario_over(settings)
    living = look(settings)
    if request.scenario is not None and living.supervisor:
        await ensure_model(settings)
    await client.start(mission)
    link = link_to(settings, client, mission.mission_id)
    if WORKER not in living.parts and not find_target(settings).external:
        say("No worker is running here: the mission begins when one does (`mission up`).")
    if as_json:
        print_json({"id": mission.mission_id, "directory": str(mission.directory), "temporal_ui": link or None})
    else:
        print(mission.mission_id)  # noqa: T201 - the result, alone on stdout
        say(f"mission watch {mission.mission_id}" + (f"\n{link}" if link else ""))
