"""A host as the worker process sees it, with activities that a test runs, repeats, cancels and interrupts."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.publishing import Publisher
from activities.workspaces import Project, Workspaces
from adapters.git.slots import Slot
from mission.messages import CheckOrder, MergeOrder, MissionFacts, TurnKey, WorkOrder, WorkTurn
from mission.names import holder, mission_branch, todo_branch
from mission.options import MissionOptions
from mission.plan import Todo
from tests.unit.adapters.repositories import Repository, new_repository

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Order = TypeVar("Order")
Result = TypeVar("Result")


def environment(attempt: int = 1) -> ActivityEnvironment:
    """`attempt`: Temporal runs an activity again when its worker died."""
    made = ActivityEnvironment()
    made.info = replace(made.info, attempt=attempt)
    return made


async def run(do: Callable[[Order], Awaitable[Result]], order: Order, attempt: int = 1) -> Result:
    """What the activity returns."""
    return await environment(attempt).run(do, order)


@dataclass
class Host:
    """A project, and the slots of one mission in it."""

    home: Path
    repository: Repository = field(init=False)
    workspaces: Workspaces = field(init=False)

    def __post_init__(self) -> None:
        self.repository = new_repository(self.home / "project", {"README.md": "# A project\n"})
        nobody = cast(Client, None)  # the publisher only notes what moves while nothing runs it
        self.workspaces = Workspaces(self.home / "repositories", Publisher(nobody))

    @property
    def mission(self) -> MissionFacts:
        options = MissionOptions(model="scripted/model")
        mission_id = f"mission-{self.home.name.replace('_', '-')}"
        return MissionFacts(mission_id, "Do it", str(self.repository.path), "host", options)

    @property
    def folder(self) -> Path:
        return self.repository.path / ".opencode/missions" / self.mission.mission_id

    @property
    def branch(self) -> str:
        return mission_branch(self.mission.mission_id)

    def todo_branch(self, todo_id: str = "T1") -> str:
        return todo_branch(self.mission.mission_id, todo_id)

    async def project(self) -> Project:
        return await self.workspaces.of(self.mission)

    async def slot(self, todo_id: str = "T1") -> Slot:
        return await (await self.project()).slots.lease(holder(self.mission.mission_id, todo_id))

    async def at_work(self, files: Mapping[str, str], todo_id: str = "T1") -> Slot:
        """A slot in which an agent has left these files, uncommitted."""
        slot = await self.slot(todo_id)
        await (await self.project()).slots.prepare(slot, self.repository.head)
        Repository(slot.path).write_all(files)
        return slot

    async def worked(self, files: Mapping[str, str], todo_id: str = "T1") -> str:
        """The commit of an attempt that left these files."""
        slot = await self.at_work(files, todo_id)
        slots = (await self.project()).slots
        return (await slots.snapshot(slot, self.repository.head, self.todo_branch(todo_id), todo_id)).commit

    def work(self, todo_id: str = "T1") -> WorkTurn:
        todo = Todo(id=todo_id, title="Write a file")
        head = self.repository.head
        order = WorkOrder(self.mission, todo, attempt=1, step="work", commit=head, base=head)
        return WorkTurn(order, TurnKey(0, MOMENT))

    def checks(self, commit: str, *commands: str, todo_id: str = "T1") -> CheckOrder:
        owner = holder(self.mission.mission_id, todo_id)
        return CheckOrder(self.mission, owner, commit, commands, f"{todo_id}-1")

    def merge(self, commit: str, onto: str, *checks: str, todo_id: str = "T1") -> MergeOrder:
        todo = Todo(id=todo_id, title="Write a file", checks=checks)
        return MergeOrder(self.mission, todo, 1, commit, onto, MOMENT)
