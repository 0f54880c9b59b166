"""The OpenCode our agents live in: our roles, the user's providers and credentials, a database of its own."""

from pathlib import Path

from activities.roles import ROLE_NAMES, load_role
from adapters.opencode.config import AgentConfig, server_config
from adapters.opencode.external import ExternalOpenCode
from adapters.opencode.server import OpenCodeServer
from runtime.settings import Settings

PROJECT = Path(__file__).parents[1]
"""Below it lies `tools/`, where the set-up puts an OpenCode."""

SHORT = {"planner": "You plan a mission.", "worker": "You work for a mission.", "reviewer": "You review for a mission."}
"""Replaces OpenCode's own 9.5 kB prompt. The role's words come with every turn, since a project may have its own."""


def our_server(settings: Settings) -> OpenCodeServer:
    """To be supervised by this process; adopts the one that an earlier worker left running."""
    return OpenCodeServer(
        home=settings.opencode_home,
        record=settings.processes / "opencode.json",
        log=settings.logs / "opencode.log",
        config=server_config(_agents(), _providers(settings)),
        executable=settings.opencode,
        project=PROJECT,
    )


def running_server(settings: Settings) -> ExternalOpenCode:
    """The one that `--opencode-url` or `MISSION_OPENCODE_URL` names."""
    assert settings.opencode_url
    return ExternalOpenCode(settings.opencode_url, settings.opencode_password)


def _agents() -> dict[str, AgentConfig]:
    roles = [load_role(name) for name in ROLE_NAMES]
    return {f"mission-{role.name}": AgentConfig(role.description, SHORT[role.name], role.rules) for role in roles}


def _providers(settings: Settings) -> dict[str, object]:
    """The scripted model, if the stack has one; a provider like any other."""
    if settings.model_url is None:
        return {}
    model = {
        "name": "Scripted model",
        "tool_call": True,
        "limit": {"context": 128_000, "output": 8_000},
        "cost": {"input": 1, "output": 2},
    }
    options = {"baseURL": settings.model_url, "apiKey": "none"}
    return {"scripted": {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"model": model}}}
