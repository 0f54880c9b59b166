"""The scripted model: finds a request's place in the scenario, answers or misbehaves, logs it."""

import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

from adapters.scripted_model.completion import Completion
from adapters.scripted_model.conversation import Conversation
from adapters.scripted_model.delivery import Delivery
from adapters.scripted_model.errors import MissingScenarioError, ScriptedModelError
from adapters.scripted_model.faults import Fault, FaultChooser, Moment
from adapters.scripted_model.http import Exchange
from adapters.scripted_model.outputs import Output, due, spoiled
from adapters.scripted_model.refusals import Refusal, refusal
from adapters.scripted_model.scenario import Scenario, ScenarioFile
from adapters.scripted_model.stage import Stage, append_line

_SMALL_TALK = {"title": "A scripted mission", "chat": "I am a scripted model: I answer turns of a mission."}
_MODELS = {
    "object": "list",
    "data": [{"id": "model", "object": "model", "created": 0, "owned_by": "scripted"}],
}


class ScriptedModel:
    """Answers exchanges; one for the whole process, since it remembers which faults have happened."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._faults = FaultChooser()
        self._numbers = itertools.count(1)

    async def answer(self, exchange: Exchange) -> None:
        """One request of any kind."""
        request = exchange.request
        match request.method, request.path.partition("?")[0]:
            case "POST", "/v1/chat/completions":
                await Reply(self._stage, self._faults, next(self._numbers), exchange).play()
            case "GET", "/v1/models":
                await exchange.reply(200, _MODELS)
            case "GET", "/health":
                await exchange.reply(200, {"healthy": True})
            case _:
                missing = Refusal(404, f"no such endpoint: {request.method} {request.path}", "not_found")
                await exchange.reply(missing.status, missing.body)


class Reply:
    """One chat request, from reading it to its line in the log."""

    def __init__(self, stage: Stage, faults: FaultChooser, number: int, exchange: Exchange) -> None:
        self._stage = stage
        self._faults = faults
        self._number = number
        self._exchange = exchange
        self._time = time.time()
        self._began = time.monotonic()
        self._log: Path | None = stage.log
        self._entry: dict[str, Any] = {
            "time": round(self._time, 3),
            "session": exchange.request.headers.get("x-session-id"),
            "bytes": len(exchange.request.body),
        }

    async def play(self) -> None:
        """Answer; whatever happens, one line is logged at the end."""
        status: int | str = "cut"
        try:
            status = await self._answer()
        finally:
            self._entry |= {"seconds": round(time.monotonic() - self._began, 3), "status": status}
            if self._log:
                _note_down(self._log, self._entry)

    async def _answer(self) -> int | str:
        try:
            conversation = Conversation.read(json.loads(self._exchange.request.body))
            self._note(conversation)
            play = self._play(conversation)
        except (ScriptedModelError, json.JSONDecodeError, UnicodeDecodeError) as error:
            return await self._refuse(Refusal(400, str(error), "scripted_model_error"))
        self._log = play.log
        output, fault = self._output(play.scenario, conversation)
        self._entry["fault"] = fault.kind if fault else None
        if refused := refusal(fault):
            return await self._refuse(refused)
        return await self._deliver(output, fault, conversation, _latency(play.scenario, conversation))

    def _note(self, conversation: Conversation) -> None:
        turn = conversation.turn
        self._entry |= {
            "purpose": conversation.purpose,
            "mission": turn and turn.mission,
            "role": turn and turn.role,
            "todo": turn and turn.todo,
            "attempt": turn and turn.attempt,
            "step": turn and turn.step,
            "index": conversation.index,
            "tools": conversation.tools,
            "model": conversation.model,
            "fault": None,
            "prompt_sha": conversation.prompt_sha,
        }

    def _play(self, conversation: Conversation) -> ScenarioFile:
        try:
            return self._stage.play(conversation.turn.mission if conversation.turn else "default")
        except MissingScenarioError:
            if conversation.purpose == "turn":
                raise
            return ScenarioFile(scenario=Scenario(), log=self._stage.log)

    def _output(self, scenario: Scenario, conversation: Conversation) -> tuple[Output, Fault | None]:
        turn = conversation.turn
        if conversation.purpose == "compaction":
            return Output(text=conversation.summary()), None
        if conversation.purpose != "turn" or turn is None:
            return Output(text=_SMALL_TALK[conversation.purpose]), None
        output = due(scenario, turn, conversation.index)
        moment = Moment(turn=turn, index=conversation.index, answers=output.tool is None)
        fault = self._faults.choose(scenario.faults, moment)
        if fault is None or fault.kind == "random":
            return output, None
        return spoiled(output, fault.kind, scenario, turn), fault

    async def _refuse(self, refused: Refusal) -> int:
        await self._exchange.reply(refused.status, refused.body, refused.headers)
        return refused.status

    async def _deliver(
        self, output: Output, fault: Fault | None, conversation: Conversation, latency: float
    ) -> int | str:
        completion = Completion(
            output,
            number=self._number,
            model=conversation.model,
            created=int(self._time),
            request_bytes=len(self._exchange.request.body),
        )
        delivery = Delivery.of(latency + output.pause, fault)
        await delivery.send(self._exchange, completion, stream=conversation.stream)
        return "cut" if delivery.breaks_off else 200


def _note_down(log: Path, entry: dict[str, Any]) -> None:
    try:
        append_line(log, entry)
    except OSError as error:  # a full disk is no reason to fail the mission that is being tested
        sys.stderr.write(f"{log}: a request could not be logged: {error.strerror}\n")


def _latency(scenario: Scenario, conversation: Conversation) -> float:
    if conversation.purpose != "turn" or conversation.turn is None:
        return 0.0
    return scenario.latency.get(conversation.turn.role, 0.0)
