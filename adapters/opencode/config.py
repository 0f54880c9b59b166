"""The configuration our OpenCode gets on top of the user's own.

Measured with 1.18.33, bytes of one model request before the task: an agent without an own prompt 30.7 k (9.5 k of it
OpenCode's prompt for the provider, which an own prompt of any length replaces; an empty one does not); with a one-line
prompt 22.1 k and ten tools. A `*` deny takes tools out of the request wherever it stands, in the agent or in the
session: worker 12.8 k (six tools), planner and reviewer 4.6 k (three). In the session it leaves 0.7 k about skills
behind, so our agents deny everything themselves; a session's rules come after them and may widen or narrow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.opencode.models import PermissionRule

READING = ("read", "glob", "grep")
WORKING = (*READING, "edit", "bash")  # `edit` is also the permission of the tool `write`


@dataclass(frozen=True)
class AgentConfig:
    """An agent of ours. Its role's words come with each turn, as `system`: a project may have its own."""

    description: str
    #: Short, but never empty.
    prompt: str
    rules: Sequence[PermissionRule]


def only(*permissions: str) -> tuple[PermissionRule, ...]:
    """Rules that leave these permissions and nothing else; none of them asks."""
    return (
        PermissionRule(permission="*", pattern="*", action="deny"),
        *(PermissionRule(permission=name, pattern="*", action="allow") for name in permissions),
        PermissionRule(permission="external_directory", pattern="*", action="deny"),
    )


AGENTS: Mapping[str, AgentConfig] = {
    "mission-planner": AgentConfig("Plans a mission.", "You plan a mission.", only(*READING)),
    "mission-worker": AgentConfig("Does one TODO of a mission.", "You work for a mission.", only(*WORKING)),
    "mission-reviewer": AgentConfig("Reviews work of a mission.", "You review for a mission.", only(*READING)),
}


def server_config(
    agents: Mapping[str, AgentConfig] = AGENTS,
    providers: Mapping[str, object] | None = None,
    shell: Path | None = None,
) -> dict[str, object]:
    """For `OPENCODE_CONFIG_CONTENT`: merged over the user's files, whose providers and models stay."""
    config: dict[str, object] = {
        "autoupdate": False,
        "share": "disabled",
        # We have git; its own snapshots make parallel sessions wait for one another (3 to 6 times slower).
        "snapshot": False,
        # Minutes of downloads and a process a language, for what our checks find out.
        "lsp": False,
        "formatter": False,
        # Asks a model for each session's title otherwise.
        "agent": {"title": {"disable": True}, **{name: _agent(agent) for name, agent in agents.items()}},
    }
    if providers:
        config["provider"] = dict(providers)
    if shell:
        config["shell"] = str(shell)
    return config


def _agent(agent: AgentConfig) -> dict[str, object]:
    return {
        "description": agent.description,
        "mode": "primary",
        "prompt": agent.prompt,
        "permission": _permission(agent.rules),
    }


def _permission(rules: Sequence[PermissionRule]) -> dict[str, dict[str, str]]:
    """The form of configuration files: the order of the keys is the order of the rules."""
    permission: dict[str, dict[str, str]] = {}
    for rule in rules:
        if rule.action == "ask":
            raise ValueError(f"permission {rule.permission!r} must not ask: nobody would answer")
        patterns = permission.setdefault(rule.permission, {})
        patterns.pop(rule.pattern, None)  # the last one wins, so it must also come last
        patterns[rule.pattern] = rule.action
    return permission
