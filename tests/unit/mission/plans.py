"""Small plans for tests."""

from mission.plan import Plan, Todo


def todo(todo_id: str, *depends_on: str, files: tuple[str, ...] = (), checks: tuple[str, ...] = ()) -> Todo:
    return Todo(id=todo_id, title=f"do {todo_id}", depends_on=depends_on, files=files, checks=checks)


def plan(*todos: Todo) -> Plan:
    return Plan(todos=todos)
