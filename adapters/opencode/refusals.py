"""Why OpenCode refused a prompt: its own answer is only `UnknownError` and a number."""

import difflib

from adapters.opencode.client import OpenCodeClient
from adapters.opencode.models import Provider


async def why_refused(client: OpenCodeClient, directory: str, agent: str, model: str | None) -> str | None:
    """A sentence about the agent or the model that OpenCode does not have; None when both are there."""
    if agent not in await client.agents(directory):
        return f"this OpenCode has no agent {agent!r}: it must run with the orchestrator's own configuration"
    return await missing_model(client, directory, model) if model else None


async def missing_model(client: OpenCodeClient, directory: str, model: str) -> str | None:
    """A sentence that says why this `provider/model` cannot be used; None when it can."""
    provider_id, _, model_id = model.partition("/")
    connected = {provider.id: provider for provider in await client.models(directory)}
    if provider := connected.get(provider_id):
        return None if model_id in provider.models else _unknown_model(provider, model_id)
    known = {provider.id: provider for provider in await client.known_providers(directory)}
    if provider := known.get(provider_id):
        variables = " or ".join(provider.env)
        return f"provider {provider_id!r} of model {model!r} has no credentials: run `opencode auth login`" + (
            f" or set {variables}" if variables else ""
        )
    return f"OpenCode knows no provider {provider_id!r} (of model {model!r}){_hint(provider_id, list(known))}"


def _unknown_model(provider: Provider, model_id: str) -> str:
    return f"provider {provider.id!r} has no model {model_id!r}{_hint(model_id, list(provider.models))}"


def _hint(wanted: str, known: list[str]) -> str:
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else "; `opencode models` lists what there is"
