"""The words we say to the agents: one Markdown file a role, the shipped ones and the user's.

A project's own file, `.opencode/orchestrator/roles/<role>.md`, replaces the shipped one of that name. Front matter:
`description`, `model` (provider/model), `tools` (of OpenCode, by name), `permission` (OpenCode's form, stronger than
`tools`), `answer` (plan, work_report or verdict); then the prompt.
"""

import difflib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import yaml

from adapters.opencode.models import PermissionRule
from mission.options import Role as RoleName

ROLE_NAMES: tuple[RoleName, ...] = get_args(RoleName)
USER_ROLES = Path(".opencode/orchestrator/roles")
KEYS = ("description", "model", "tools", "permission", "answer")
ANSWERS: dict[RoleName, str] = {"planner": "plan", "worker": "work_report", "reviewer": "verdict"}
TOOLS = (
    "read",
    "edit",
    "write",
    "grep",
    "glob",
    "bash",
    "list",
    "webfetch",
    "websearch",
    "todowrite",
    "lsp",
    "skill",
)

Action = Literal["allow", "deny"]


class RoleFileError(ValueError):
    """A role file that cannot be used: names the file, the line and what is wrong."""


@dataclass(frozen=True)
class RoleFile:
    """One role as its file describes it."""

    name: RoleName
    description: str
    prompt: str
    rules: tuple[PermissionRule, ...]
    model: str | None = None
    #: The project brought it: its rules must be told to each session, ours are in the server's configuration.
    own: bool = False


def load_role(name: RoleName, project: Path | None = None) -> RoleFile:
    """The project's own role of that name, else the shipped one. Raises `RoleFileError`."""
    own = project / USER_ROLES / f"{name}.md" if project else None
    if own is not None and own.is_file():
        try:
            return replace(parse_role(name, own.read_text(encoding="utf-8"), own), own=True)
        except (OSError, UnicodeDecodeError) as error:
            raise RoleFileError(f"{own}: cannot be read: {error}") from error
    return _shipped(name)


def check_roles(project: Path) -> tuple[str, ...]:
    """Read every role a project brings; notes for what will be ignored. Raises `RoleFileError`."""
    for name in ROLE_NAMES:
        load_role(name, project)
    strangers = [file for file in sorted((project / USER_ROLES).glob("*.md")) if file.stem not in ROLE_NAMES]
    return tuple(
        f"{USER_ROLES / file.name} is not a role of this version ({', '.join(ROLE_NAMES)}) and is ignored"
        for file in strangers
    )


@cache
def _shipped(name: RoleName) -> RoleFile:
    file = Path(__file__).with_name(f"{name}.md")
    return parse_role(name, file.read_text(encoding="utf-8"), file)


def parse_role(name: RoleName, text: str, file: Path) -> RoleFile:
    """Raises `RoleFileError` with file, line and reason."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        raise RoleFileError(f"{file}, line 1: a role file starts with front matter between two lines of ---")
    end = next((number for number, line in enumerate(lines[1:], start=2) if line.strip() == "---"), None)
    if end is None:
        raise RoleFileError(f"{file}, line {len(lines)}: the front matter is not closed by a line of ---")
    matter = _front_matter(lines[1 : end - 1], file)
    prompt = "\n".join(lines[end:]).strip()
    if not prompt:
        raise RoleFileError(f"{file}, line {end}: the prompt below the front matter is empty")
    if matter.get("answer", ANSWERS[name]) != ANSWERS[name]:
        raise RoleFileError(f"{file}: the answer of a {name} is {ANSWERS[name]!r}, not {matter['answer']!r}")
    model = matter.get("model")
    if model is not None and (not isinstance(model, str) or "/" not in model):
        raise RoleFileError(f"{file}: model is {model!r}, expected provider/model")
    return RoleFile(
        name=name,
        description=str(matter.get("description", "")),
        prompt=prompt,
        rules=(
            *_tool_rules(matter.get("tools", []), file),
            *_permission_rules(matter.get("permission", {}), file),
        ),
        model=model,
    )


def _front_matter(lines: list[str], file: Path) -> dict[str, object]:
    try:
        matter = yaml.safe_load("\n".join(lines)) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 2
        raise RoleFileError(f"{file}, line {line}: {error.problem or 'not valid YAML'}") from error
    if not isinstance(matter, dict):
        raise RoleFileError(f"{file}, line 2: the front matter must be a list of `key: value`")
    for key in matter:
        if key not in KEYS:
            line = next((n for n, text in enumerate(lines, start=2) if text.startswith(f"{key}:")), 2)
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(KEYS)}"
            raise RoleFileError(f"{file}, line {line}: unknown key {key!r}{hint}")
    return matter


def _tool_rules(tools: object, file: Path) -> tuple[PermissionRule, ...]:
    """Nothing is allowed but the named tools, nothing asks, and no path outside the folder."""
    if not isinstance(tools, list) or not all(isinstance(tool, str) for tool in tools):
        raise RoleFileError(f"{file}: tools must be a list of names")
    for tool in tools:
        if tool not in TOOLS:
            near = difflib.get_close_matches(tool, TOOLS, n=1)
            hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(TOOLS)}"
            raise RoleFileError(f"{file}: unknown tool {tool!r}{hint}")
    # OpenCode asks the permission `edit` for its tools edit and write alike.
    allowed = dict.fromkeys("edit" if tool == "write" else tool for tool in tools)
    return (
        PermissionRule(permission="*", pattern="*", action="deny"),
        *(PermissionRule(permission=tool, pattern="*", action="allow") for tool in allowed),
        PermissionRule(permission="external_directory", pattern="*", action="deny"),
        # Where OpenCode puts the whole of an output that it cut.
        PermissionRule(permission="external_directory", pattern="*/opencode/tool-output/*", action="allow"),
    )


def _permission_rules(permission: object, file: Path) -> tuple[PermissionRule, ...]:
    """OpenCode's own form: `{bash: allow}` or `{bash: {"rm *": deny}}`. `ask` is refused: nobody would answer."""
    if not isinstance(permission, dict):
        raise RoleFileError(f"{file}: permission must be a mapping such as `bash: deny`")
    rules: list[PermissionRule] = []
    for name, wanted in permission.items():
        patterns = wanted if isinstance(wanted, dict) else {"*": wanted}
        for pattern, action in patterns.items():
            if action not in get_args(Action):
                raise RoleFileError(f"{file}: permission {name} {pattern!r} is {action!r}, expected allow or deny")
            rules.append(PermissionRule(permission=str(name), pattern=str(pattern), action=action))
    return tuple(rules)
