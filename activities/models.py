"""Are the models of a mission there? Asked before an agent is paid, and answered so that a person can mend it."""

import difflib
from pathlib import Path

from activities.roles import ROLE_NAMES, load_role
from adapters.opencode.client import OpenCodeClient
from adapters.opencode.models import Provider
from mission.options import MissionOptions


class ModelMissing(ValueError):
    """A role's model is unknown or its provider has no credentials; the message says what to do."""


async def check_models(client: OpenCodeClient, options: MissionOptions, project: Path, directory: Path) -> None:
    """Raises `ModelMissing`. `directory` is one that OpenCode may warm up in."""
    wanted = {role: options.model_for(role) or load_role(role, project).model for role in ROLE_NAMES}
    usable = await client.models(str(directory))
    if not usable:
        raise ModelMissing("OpenCode has no model to use: log in to a provider with `opencode auth login`")
    for role, model in wanted.items():
        if model is None:
            continue  # OpenCode's default, which is one of the usable ones
        provider_id, _, model_id = model.partition("/")
        provider = next((one for one in usable if one.id == provider_id), None)
        if provider is None:
            known = [one.id for one in await client.known_providers(str(directory))]
            raise ModelMissing(_no_provider(role, model, provider_id, known, usable))
        if model_id not in provider.models:
            raise ModelMissing(_no_model(role, model, model_id, provider))


def _no_provider(role: str, model: str, provider_id: str, known: list[str], usable: list[Provider]) -> str:
    if provider_id in known:
        return (
            f"the {role}'s model {model} needs credentials for {provider_id}: "
            f"`opencode auth login`, or set its API key where the worker starts"
        )
    names = [one.id for one in usable]
    return f"the {role}'s model {model} names an unknown provider {provider_id!r}{_nearest(provider_id, names)}"


def _no_model(role: str, model: str, model_id: str, provider: Provider) -> str:
    return f"the {role}'s model {model} is unknown to {provider.id}{_nearest(model_id, list(provider.models))}"


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f", did you mean {near[0]!r}?"
    shown = ", ".join(sorted(names)[:8]) + (", …" if len(names) > 8 else "")
    return f"; there are: {shown}"
