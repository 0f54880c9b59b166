import socket
from pathlib import Path

import pytest

from client.stack.lock import only_supervisor
from client.stack.logs import last_lines
from client.stack.ports import Ports, choose_ports, is_free, kept_ports
from client.stack.restarts import LONGEST_WAIT, MOST_FAILED_STARTS, Restarts
from runtime.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_a_part_that_never_becomes_ready_is_given_up() -> None:
    restarts = Restarts()
    waits = [restarts.after(0.1, became_ready=False) for _ in range(MOST_FAILED_STARTS)]
    assert waits[0] == 0
    assert waits[-1] is None


def test_a_part_that_was_ready_is_started_again_however_often_it_is_killed() -> None:
    restarts = Restarts()
    waits = [restarts.after(1.0, became_ready=True) for _ in range(50)]
    assert waits[:4] == [0, 0.25, 0.5, 1]
    assert waits[-1] == LONGEST_WAIT


def test_a_part_that_was_ready_once_is_not_given_up_while_what_it_needs_is_away() -> None:
    restarts = Restarts()
    restarts.after(3_600.0, became_ready=True)
    assert None not in [restarts.after(1.0, became_ready=False) for _ in range(2_000)]


def test_a_long_life_makes_the_next_restart_immediate_again() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.after(1.0, became_ready=True)
    assert restarts.after(3_600.0, became_ready=True) == 0


def test_ports_stay_the_same_from_start_to_start(settings: Settings) -> None:
    first = choose_ports(settings)
    assert choose_ports(settings) == first == kept_ports(settings)
    assert len({first.temporal, first.ui, first.model}) == 3


def test_a_port_somebody_else_took_is_chosen_anew(settings: Settings) -> None:
    first = choose_ports(settings)
    with socket.create_server(("127.0.0.1", first.temporal)):
        assert not is_free(first.temporal)
        second = choose_ports(settings)
        assert second.temporal != first.temporal
        assert second.model == first.model
        assert choose_ports(settings, frozenset([second.temporal])) == second


def test_damaged_ports_are_chosen_anew(settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / "ports.json").write_text('{"temporal": ')
    assert isinstance(choose_ports(settings), Ports)


def test_there_is_one_supervisor_a_home(settings: Settings) -> None:
    with only_supervisor(settings) as first, only_supervisor(settings) as second:
        assert (first, second) == (True, False)
    with only_supervisor(settings) as again:
        assert again


def test_the_end_of_a_log_is_found_since_a_start(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    assert last_lines(log, 3) == []
    log.write_text("old\n")
    size = log.stat().st_size
    log.write_text("old\none\n\ntwo\nthree\n")
    assert last_lines(log, 2) == ["two", "three"]
    assert last_lines(log, 9, since=size) == ["one", "two", "three"]
