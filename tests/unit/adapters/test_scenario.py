from pathlib import Path

import pytest

from adapters.scripted_model.faults import Fault, FaultChooser, Moment
from adapters.scripted_model.header import Role, Step, TurnHeader, parse_header, render_header
from adapters.scripted_model.outputs import due
from adapters.scripted_model.scenario import Scenario, ScenarioError, load_scenario, save_scenario
from adapters.scripted_model.stage import ScenarioFolder

SCENARIOS = sorted((Path(__file__).parents[3] / "scenarios").glob("*.yaml"))


def turn(
    role: Role = "worker", todo: str = "T1", attempt: int = 1, step: Step = "work", mission: str = "m"
) -> TurnHeader:
    return TurnHeader(mission, role, todo, attempt, step)


def written(folder: Path, text: str, name: str = "s.yaml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def problem_with(file: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    return str(caught.value).replace(f"{file.parent}/", "")


class TestHeader:
    def test_a_rendered_header_is_parsed_back(self) -> None:
        line = render_header(mission="mission-add-auth-3f9a1c", role="worker", todo="T1.2", attempt=2, step="rework")
        assert line == '<turn mission="mission-add-auth-3f9a1c" role="worker" todo="T1.2" attempt="2" step="rework"/>'
        assert parse_header(line) == TurnHeader("mission-add-auth-3f9a1c", "worker", "T1.2", 2, "rework")

    def test_the_first_header_counts_since_a_prompt_may_quote_others(self) -> None:
        assert parse_header(f"{turn()}\nThe last prompt was:\n{turn(todo='T9')}\n") == turn()

    def test_a_header_within_a_line_is_not_one(self) -> None:
        assert parse_header(f"look: {turn()}") is None

    def test_a_name_that_would_break_the_header_is_refused(self) -> None:
        with pytest.raises(ValueError, match="todo 'T 1' cannot stand in a turn header"):
            render_header(mission="m", role="worker", todo="T 1", attempt=1, step="work")


class TestLoading:
    @pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.name)
    def test_the_scenarios_we_ship_are_valid(self, file: Path) -> None:
        assert load_scenario(file).name == file.stem

    def test_the_examples_of_the_documentation_are_valid(self, tmp_path: Path) -> None:
        page = (Path(__file__).parents[3] / "docs/scenarios.md").read_text()
        examples = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
        loaded = [load_scenario(written(tmp_path, example)) for example in examples]
        assert [scenario.name for scenario in loaded] == ["greeting", "scenario"]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            pytest.param("", "s.yaml: is empty", id="empty"),
            pytest.param("a: [", "s.yaml:2: not YAML: did not find", id="not-yaml"),
            pytest.param("name: x\nlatncy: {}\n", "s.yaml:2: unknown key 'latncy', did you mean 'latency'?", id="key"),
            pytest.param("zzz: 1\n", "s.yaml:1: unknown key 'zzz'; known: name, latency", id="key-unlike-any"),
            pytest.param(
                "work:\n  T1:\n    - - write: {path: a}\n",
                "s.yaml:3: work.T1.0.0.write.content: Field required",
                id="missing",
            ),
            pytest.param(
                "work:\n  T1:\n    - - say: ok\n      - wrte: {}\n",
                "s.yaml:4: work.T1.0.1: unknown key 'wrte', did you mean 'write'?",
                id="action",
            ),
            pytest.param("work:\n  T1:\n    - say: ok\n", "s.yaml:2: work.T1: is a list of attempts", id="flat"),
            pytest.param("work: {T1: [[{say: a}, {bash: b}]]}", "which ends the turn", id="say-first"),
            pytest.param("work: {T1: [[{say: a, bash: b}]]}", "this one has bash, say", id="two-in-one"),
            pytest.param("plan: [T1]", "plan: must be a list of TODOs", id="plan"),
            pytest.param("plan: [{id: T1}]\nwork:\n  T1: [[{say: a}]]\n  T2: [[{say: a}]]\n", "s.yaml:4:", id="todo"),
            pytest.param("work:\n  T1: []\n  T1: []\n", "s.yaml:3: the key 'T1' is there twice", id="twice"),
            pytest.param(
                "faults:\n  - {kind: dorp}\n",
                "s.yaml:2: faults.0.kind: 'dorp' is not known, did you mean 'drop'?",
                id="kind",
            ),
            pytest.param("faults: [{kind: random}]", "a random fault needs `rate`", id="random"),
            pytest.param("faults: [{kind: drop, rate: 0.5}]", "belong to `kind: random`", id="rate"),
            pytest.param("faults: [{kind: drop, after: first_byte}]", "belongs to `kind: hang`", id="after"),
            pytest.param("latency: {worker: -1}", "s.yaml:1: latency.worker: Input should be greater", id="latency"),
        ],
    )
    def test_a_broken_scenario_is_refused_with_its_line(self, text: str, problem: str, tmp_path: Path) -> None:
        assert problem in problem_with(written(tmp_path, text))

    def test_broken_json_is_refused_with_its_line(self, tmp_path: Path) -> None:
        assert problem_with(written(tmp_path, '{\n"name":}', "s.json")).startswith("s.json:2: not JSON")

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        assert problem_with(tmp_path / "no.yaml") == "no.yaml: cannot be read: No such file or directory"

    def test_a_saved_scenario_is_the_one_that_is_played(self, tmp_path: Path) -> None:
        scenario = load_scenario(SCENARIOS[0])
        save_scenario(tmp_path, "m1", scenario, tmp_path / "log")
        played = ScenarioFolder(tmp_path).play("m1")
        assert (played.scenario, played.log) == (scenario, tmp_path / "log")


class TestPlanning:
    @pytest.mark.parametrize(
        ("ids", "level"), [(["T1"], "L1"), (["T1", "T2"], "L2"), (["T1", "T1.1"], "L3")], ids=lambda value: str(value)
    )
    def test_the_level_follows_from_the_plan(self, ids: list[str], level: str) -> None:
        scenario = Scenario(plan=[{"id": one} for one in ids], checks=["true"])
        assert scenario.plan_answer(1) == {
            "level": level,
            "todos": [{"id": one} for one in ids],
            "checks": ["true"],
        }

    def test_a_mapping_is_the_whole_answer(self) -> None:
        assert Scenario(plan={"todos": "many"}).plan_answer(1) == {"todos": "many"}

    def test_later_rounds_play_the_replans_and_then_change_nothing(self) -> None:
        scenario = Scenario(plan=[{"id": "T1"}], replan=[[{"id": "T2"}]])
        assert [len(scenario.plan_answer(round_)["todos"]) for round_ in (1, 2, 3)] == [1, 1, 0]


class TestPlaying:
    def test_each_attempt_has_its_work_and_the_last_repeats(self) -> None:
        scenario = Scenario.model_validate({"work": {"T1": [[{"bash": "one"}], [{"bash": "two"}]]}})
        commands = [due(scenario, turn(attempt=attempt), 0).text for attempt in (1, 2, 3)]
        assert ["one" in commands[0], "two" in commands[1], "two" in commands[2]] == [True, True, True]

    def test_an_attempt_without_a_last_word_says_that_it_is_done(self) -> None:
        scenario = Scenario.model_validate({"work": {"T1": [[{"bash": "true"}]]}})
        assert due(scenario, turn(), 1).text == '{"summary": "done"}'

    def test_a_todo_without_work_is_said_to_be_done(self) -> None:
        assert due(Scenario(), turn(), 0).text == '{"summary": "done"}'

    def test_sleep_is_a_pause_before_the_next_step_and_no_step_itself(self) -> None:
        scenario = Scenario.model_validate({"work": {"T1": [[{"sleep": 2}, {"bash": "true"}, {"sleep": 1}]]}})
        assert [due(scenario, turn(), index).pause for index in (0, 1)] == [2.0, 1.0]

    def test_a_repair_answers_without_working_again(self) -> None:
        scenario = Scenario.model_validate({"work": {"T1": [[{"bash": "true"}, {"say": {"summary": "s"}}]]}})
        assert due(scenario, turn(step="repair"), 0).text == '{"summary": "s"}'

    def test_a_conflict_is_resolved_by_its_own_actions(self) -> None:
        scenario = Scenario.model_validate({"resolve": {"T1": [{"write": {"path": "f", "content": "both"}}]}})
        assert "both" in due(scenario, turn(step="resolve"), 0).text

    def test_reviews_approve_unless_the_scenario_says_otherwise(self) -> None:
        scenario = Scenario.model_validate({"review": {"T1": [{"approved": False}]}, "final": "no JSON"})
        reviews = [due(scenario, turn("reviewer", todo, 1, "review"), 0).text for todo in ("T1", "T2", "final")]
        assert reviews == ['{"approved": false}', '{"approved": true}', "no JSON"]


class TestChoosingFaults:
    def kinds(self, faults: list[Fault], *moments: Moment) -> list[str | None]:
        chooser = FaultChooser()
        chosen = [chooser.choose(faults, moment) for moment in moments]
        return [fault.kind if fault else None for fault in chosen]

    def test_a_fault_happens_once_for_each_todo_of_each_mission(self) -> None:
        moments = [Moment(turn(todo=todo, mission=mission), 0, answers=False) for mission in "ab" for todo in "xyx"]
        assert self.kinds([Fault(kind="drop")], *moments) == ["drop", "drop", None] * 2

    def test_faults_of_one_moment_come_one_after_the_other(self) -> None:
        faults = [Fault(kind="rate_limit", times=2), Fault(kind="drop")]
        assert self.kinds(faults, *[Moment(turn(), 0, answers=False)] * 4) == ["rate_limit", "rate_limit", "drop", None]

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(kind="drop", role="reviewer"),
            Fault(kind="drop", todo="T2"),
            Fault(kind="drop", attempt=2),
            Fault(kind="drop", step="rework"),
            Fault(kind="drop", index=1),
        ],
        ids=["role", "todo", "attempt", "step", "index"],
    )
    def test_a_fault_for_another_moment_does_not_happen(self, fault: Fault) -> None:
        assert self.kinds([fault], Moment(turn(), 0, answers=False)) == [None]

    def test_an_invalid_answer_waits_until_an_answer_is_due(self) -> None:
        working, answering = Moment(turn(), 0, answers=False), Moment(turn(), 1, answers=True)
        assert self.kinds([Fault(kind="invalid_answer")], working, answering) == [None, "invalid_answer"]

    def test_only_a_worker_with_work_to_do_can_claim_that_it_is_done(self) -> None:
        reviewing, working = Moment(turn("reviewer"), 0, answers=True), Moment(turn(), 0, answers=False)
        assert self.kinds([Fault(kind="false_done", times=2)], reviewing, working) == [None, "false_done"]

    def test_random_faults_are_the_same_in_every_run_of_one_seed(self) -> None:
        def run(seed: int, mission: str) -> list[str | None]:
            fault = Fault(kind="random", rate=0.3, seed=seed, kinds=["server_error", "drop"])
            return self.kinds(
                [fault], *(Moment(turn(todo=f"T{n}", mission=mission), 0, answers=False) for n in range(200))
            )

        assert run(7, "mission-a") == run(7, "mission-b") != run(8, "mission-a")
        assert 35 < sum(kind is not None for kind in run(7, "m")) < 85
