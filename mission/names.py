"""Names that people meet: branches, lease holders."""


def mission_branch(mission_id: str) -> str:
    """`mission-add-auth-3f9a1c` works on the branch `mission/add-auth-3f9a1c`."""
    return f"mission/{mission_id.removeprefix('mission-')}"


def todo_branch(mission_id: str, todo_id: str) -> str:
    """Where the attempts at one TODO are kept until they are merged.

    Not below the mission's own branch: git cannot hold both `mission/x` and `mission/x/T1`.
    """
    return f"mission-work/{mission_id.removeprefix('mission-')}/{todo_id}"


def holder(mission_id: str, part: str) -> str:
    """Who leases a slot: a TODO, the planner (`plan`) or the seal (`final`)."""
    return f"{mission_id}/{part}"
