"""What the model says: the due step of a turn, and what faults make of it."""

import json
import shlex
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Literal

from adapters.scripted_model.actions import DONE, Action
from adapters.scripted_model.faults import Kind
from adapters.scripted_model.header import TurnHeader
from adapters.scripted_model.scenario import Scenario, nth

Finish = Literal["stop", "tool_calls", "length", "content_filter"]


@dataclass(frozen=True)
class Output:
    """One step: a text that ends the turn, or a call of a tool."""

    text: str = ""
    #: Name of the tool that is called; its arguments are then `text`.
    tool: str | None = None
    finish: Finish = "stop"
    #: Seconds of thinking before it.
    pause: float = 0.0


def due(scenario: Scenario, turn: TurnHeader, index: int) -> Output:
    """The step of output that follows after `index` tool calls of this turn."""
    outputs = _script(scenario, turn)
    return outputs[min(index, len(outputs) - 1)]


def spoiled(output: Output, kind: Kind, scenario: Scenario, turn: TurnHeader) -> Output:
    """The same step as a model that fails in this way says it; other kinds of fault leave it as it is."""
    match kind:
        case "malformed_json":
            return replace(output, text=output.text[: max(len(output.text) * 2 // 3, 1)])
        case "unknown_tool":
            return _call("teleport", {"to": "the result"})
        case "content_filter":
            return Output(finish="content_filter")
        case "length":
            return Output(text=output.text[: len(output.text) // 2], finish="length")
        case "empty":
            return Output()
        case "false_done":
            return _script(scenario, turn)[-1]
        case "wrong_work":
            return _wrong_work(scenario.files(turn.todo), turn.todo)
        case "invalid_answer":
            return _answer({"mood": "All went very well."})
    return output


def _script(scenario: Scenario, turn: TurnHeader) -> list[Output]:
    match turn.role:
        case "planner":
            return [_answer(scenario.plan_answer(turn.attempt))]
        case "reviewer":
            return [_answer(scenario.verdict(turn.todo, turn.attempt))]
    actions: list[Action] = []
    if turn.step == "resolve":
        actions = scenario.resolve.get(turn.todo, [])
    elif turn.todo in scenario.work:
        actions = nth(scenario.work[turn.todo], turn.attempt)
    outputs = _played(actions)
    return outputs[-1:] if turn.step == "repair" else outputs


def _played(actions: list[Action]) -> list[Output]:
    outputs: list[Output] = []
    pause = 0.0
    for action in actions:
        if action.sleep is not None:
            pause += action.sleep
            continue
        outputs.append(replace(_output(action), pause=pause))
        pause = 0.0
    if not outputs or outputs[-1].tool is not None:
        outputs.append(replace(_answer(DONE), pause=pause))
    return outputs


def _output(action: Action) -> Output:
    if action.write:
        return _call("write", {"filePath": action.write.path, "content": action.write.content})
    if action.edit:
        edit = action.edit
        return _call("edit", {"filePath": edit.path, "oldString": edit.old, "newString": edit.new})
    if action.bash:
        return _call("bash", action.bash.model_dump(exclude_none=True))
    if action.read is not None:
        return _call("read", {"filePath": action.read})
    return _answer(action.say)


def _call(tool: str, arguments: dict[str, Any]) -> Output:
    return Output(text=json.dumps(arguments), tool=tool, finish="tool_calls")


def _answer(answer: Any) -> Output:
    return Output(text=answer if isinstance(answer, str) else json.dumps(answer, default=str))


def _wrong_work(files: list[str], todo: str) -> Output:
    if not files:
        return _call("write", {"filePath": f"stray-{todo}.txt", "content": "This belongs nowhere.\n"})
    file, folder = shlex.quote(files[0]), shlex.quote(str(PurePosixPath(files[0]).parent))
    append = f"mkdir -p {folder} && echo 'this line is wrong' >> {file}"
    return _call("bash", {"command": append, "description": "Append a line"})
