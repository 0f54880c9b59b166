"""The merge queue's one step: merge, check the merged commit, keep it or leave it."""

from dataclasses import dataclass

from temporalio import activity

from activities.checks import run_all
from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.workspaces import Workspaces
from adapters.git.merging import Conflict, advance, delete_branch, merge
from mission.messages import CheckOrder, MergeOrder, MergeResult
from mission.names import holder, mission_branch, todo_branch
from mission.report import Evidence


@dataclass
class MergeActivities:
    workspaces: Workspaces

    @activity.defn(name="merge")
    async def merge(self, order: MergeOrder) -> MergeResult:
        """The mission's branch moves only if the merged commit passes the TODO's checks."""
        mission, todo = order.mission, order.todo
        owner = holder(mission.mission_id, todo.id)
        with translated():
            project = await self.workspaces.of(mission)
            async with heartbeating(doing=f"merge {todo.id}"):
                slot = await project.slots.lease(owner)
                merged = await merge(slot, order.onto, order.commit, f"{todo.id}: {todo.title}", order.moment)
                if isinstance(merged, Conflict):
                    await project.slots.reset(slot, order.commit)
                    return MergeResult(conflicts=merged.files)
                checks: tuple[Evidence, ...] = ()
                if not merged.tree_unchanged:  # else the same files were checked a moment ago
                    checks = await run_all(
                        CheckOrder(mission, owner, merged.commit, todo.checks, f"{todo.id}-{order.attempt}-merged"),
                        slot.path,
                        project.folder(mission.mission_id),
                    )
                if not all(check.green for check in checks):
                    await project.slots.reset(slot, order.commit)
                    return MergeResult(checks=checks)
                await advance(project.workspace, mission_branch(mission.mission_id), merged.commit, order.onto)
                await delete_branch(project.workspace, todo_branch(mission.mission_id, todo.id))
                await project.slots.release(owner)
            return MergeResult(commit=merged.commit, checks=checks)
