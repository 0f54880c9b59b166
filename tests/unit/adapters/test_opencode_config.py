import pytest

from adapters.opencode.config import AgentConfig, only, server_config
from adapters.opencode.models import PermissionRule


def rule(permission: str, pattern: str, action: str) -> PermissionRule:
    return PermissionRule.model_validate({"permission": permission, "pattern": pattern, "action": action})


def agent(*rules: PermissionRule) -> dict[str, object]:
    config = server_config({"a": AgentConfig("d", "p", rules)})
    return config["agent"]["a"]["permission"]  # type: ignore[index, no-any-return]


def test_rules_keep_their_order_and_the_last_one_wins() -> None:
    rules = (*only("bash"), rule("bash", "rm *", "allow"), rule("bash", "ls *", "deny"), rule("bash", "rm *", "deny"))
    assert list(agent(*rules).items()) == [
        ("*", {"*": "deny"}),
        ("bash", {"*": "allow", "ls *": "deny", "rm *": "deny"}),
        ("external_directory", {"*": "deny"}),
    ]
    assert list(agent(*rules)["bash"]) == ["*", "ls *", "rm *"]  # type: ignore[call-overload]


def test_a_rule_that_asks_is_refused() -> None:
    with pytest.raises(ValueError, match="permission 'bash' must not ask"):
        agent(rule("bash", "*", "ask"))


def test_none_of_our_agents_asks_or_has_an_empty_prompt() -> None:
    agents = server_config()["agent"]
    assert set(agents) == {"title", "mission-planner", "mission-worker", "mission-reviewer"}  # type: ignore[call-overload]
    assert "ask" not in str(agents)
    assert all(value.get("prompt") for name, value in agents.items() if name != "title")  # type: ignore[attr-defined]


def test_the_users_own_providers_are_not_touched() -> None:
    assert "provider" not in server_config()
    assert "model" not in server_config()
