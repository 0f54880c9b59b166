"""`mission run`: start what is missing, start the mission, watch it to its end."""

import asyncio
from pathlib import Path

from client.cli import arguments, mission_request
from client.cli.arguments import refuse_another_opencode
from client.cli.mission_request import Request, make_request
from client.cli.output import say, steps
from client.cli.running import command
from client.cli.showing import link_to, print_report
from client.cli.watching import choose_view, watch_until_the_end
from client.errors import Interrupted
from client.exit_codes import ExitCode, exit_code_of
from client.missions import MissionClient
from client.stack.launch import ensure_model, ensure_stack
from mission.report import MissionReport
from runtime.settings import Settings


@command
async def run(
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
    opencode_url: arguments.OpenCodeUrl = None,
    plain: arguments.Plain = False,
    as_json: arguments.AsJson = False,
) -> ExitCode:
    """Run a mission: start what is missing, watch until it ends. Ctrl-C leaves it running."""
    settings = Settings.from_environment()
    refuse_another_opencode(settings, opencode_url)
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
    report, link = await run_mission(settings, request, plain=plain, as_json=as_json)
    print_report(report, link, as_json=as_json)
    return exit_code_of(report.status)


async def run_mission(settings: Settings, request: Request, *, plain: bool, as_json: bool) -> tuple[MissionReport, str]:
    """From nothing to the last report, and the mission's page in the Temporal UI."""
    client = await get_ready(settings, request)
    mission_id = request.mission.mission_id
    await client.start(request.mission)
    link = link_to(settings, client, mission_id)
    say(f"Mission {mission_id}" + (f"\n{link}" if link and not as_json else ""))
    try:
        view = choose_view(link, plain=plain, as_json=as_json)
        return await watch_until_the_end(settings, client, mission_id, view), link
    except asyncio.CancelledError:
        raise Interrupted(how_to_return(mission_id)) from None


async def get_ready(settings: Settings, request: Request) -> MissionClient:
    """The stack, and the scripted model if the mission is to run on it."""
    with steps("looking for Temporal and a worker") as progress:
        await ensure_stack(settings, progress.show)
        request.hand_scenario_over(settings)
        if request.scenario is not None:
            await ensure_model(settings)
        return await MissionClient.connect(settings)


def how_to_return(mission_id: str) -> str:
    return (
        f"The mission goes on in the background.\n"
        f"  mission watch {mission_id}    to see it again\n"
        f"  mission cancel {mission_id}   to end it, keeping its branches\n"
        f"  mission down    to stop everything; `mission up` goes on where it was"
    )
