import json
from pathlib import Path

import pytest
from temporalio.client import Client

from runtime.settings import Settings
from runtime.temporal import (
    SEARCH_ATTRIBUTES,
    NamespaceMissing,
    TemporalMisconfigured,
    TemporalUnreachable,
    connect,
    find_target,
    is_external,
    register_search_attributes,
    value_type,
)


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def stack_runs_at(settings: Settings, address: str) -> None:
    settings.processes.mkdir()
    record = {"pid": 1, "started": 0.0, "facts": {"address": address}}
    (settings.processes / "temporal.json").write_text(json.dumps(record))


def test_the_local_stack_is_found_by_its_record(settings: Settings) -> None:
    stack_runs_at(settings, "127.0.0.1:7301")
    target = find_target(settings)
    assert (target.address, target.namespace, target.external) == ("127.0.0.1:7301", "default", False)


def test_a_named_temporal_is_stronger_than_the_stack(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    stack_runs_at(settings, "127.0.0.1:7301")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "shop")
    assert str(find_target(settings)) == "temporal.example:7233 (namespace 'shop')"
    assert is_external()


def test_a_profile_names_temporal_too(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profiles = tmp_path / "temporal.toml"
    profiles.write_text('[profile.work]\naddress = "temporal.example:7233"\nnamespace = "shop"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(profiles))
    monkeypatch.setenv("TEMPORAL_PROFILE", "work")
    assert find_target(settings).namespace == "shop"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TEMPORAL_PROFILE", "nowhere", "Profile 'nowhere' not found"),
        ("TEMPORAL_ADDRESS", "http://127.0.0.1:7233", "has to be host:port, without http://"),
    ],
)
def test_a_wrong_configuration_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(TemporalMisconfigured, match=said):
        find_target(settings)


async def test_without_any_temporal_the_way_to_one_is_told(settings: Settings) -> None:
    with pytest.raises(TemporalUnreachable, match=r"start one with `mission up`, or name one with TEMPORAL_ADDRESS"):
        await connect(settings)
    stack_runs_at(settings, "127.0.0.1:1")
    with pytest.raises(TemporalUnreachable, match=r"no Temporal answers at 127\.0\.0\.1:1 .* `mission up` starts it"):
        await connect(settings)


async def test_a_missing_namespace_is_named(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_runs_at(settings, client.service_client.config.target_host)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "shop")
    with pytest.raises(NamespaceMissing, match="has no namespace 'shop'"):
        await connect(settings)


async def test_search_attributes_may_be_registered_twice(client: Client) -> None:
    await register_search_attributes(client)
    assert [value_type(key) for key in SEARCH_ATTRIBUTES[:4]] == ["Keyword", "Int", "Double", "KeywordList"]
