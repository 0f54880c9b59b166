"""`todo.md`: the plan as a person reads it. A view; only the workflow ticks a TODO."""

from mission.report import MissionReport, TodoState, TodoView

WORDS = {
    TodoState.OPEN: "",
    TodoState.WORKING: "in work",
    TodoState.MERGING: "merging",
    TodoState.REWORK: "sent back",
    TodoState.DONE: "",
    TodoState.FAILED: "given up",
    TodoState.CANCELLED: "cancelled",
}


def render(report: MissionReport) -> str:
    """Markdown with a check box a TODO; children are indented below their heading."""
    lines = [
        f"# {' '.join(report.objective.split())[:200]}",
        "",
        f"{report.mission_id} · {report.status.value} · {report.done} of {len(report.work)} done "
        f"· round {report.round}",
        *([f"{report.reason}"] if report.reason else []),
        "",
        *(line for todo in report.todos for line in _lines(todo)),
    ]
    return "\n".join(lines) + "\n"


def _lines(todo: TodoView) -> list[str]:
    indent = "  " * todo.id.count(".")
    box = "x" if todo.state is TodoState.DONE else " "
    facts = [
        f"after {', '.join(todo.depends_on)}" if todo.depends_on and todo.state is TodoState.OPEN else "",
        WORDS[todo.state],
        f"attempt {todo.attempts[-1].number}" if todo.attempts and todo.attempts[-1].number > 1 else "",
        f"merged {todo.merged[:8]}" if todo.merged else "",
    ]
    told = ", ".join(fact for fact in facts if fact)
    lines = [f"{indent}- [{box}] **{todo.id}** {' '.join(todo.title.split())}" + (f" ({told})" if told else "")]
    if todo.state in (TodoState.REWORK, TodoState.FAILED) and todo.attempts:
        lines.append(f"{indent}  - {' '.join(todo.attempts[-1].outcome.split())[:300]}")
    return lines
