"""What is set up before the doors open: sent whole, in order, named where it is refused."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.runtime.supervision.configure import Definition, FirstCommands, configure
from engine.runtime.supervision.endings import StartError
from tests.engine.runtime.echo import ACCOUNTS, ADD, COMMAND, application
from tests.engine.runtime.echo_tools import DEMO
from tests.engine.runtime.replay.test_recovery import EchoInstance

RING = DEMO.engine.command_ring
ECHO = application()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[EchoInstance]:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    started = EchoInstance(data_dir)
    yield started.enter()
    started.clean_up()


def additions(setting: str, count: int, account: int = 0) -> Definition:
    """Return a definition of so many additions of one to an account."""
    commands = np.zeros(count, COMMAND)
    commands["op"], commands["mark"], commands["account"] = ADD, 1, account
    return Definition(setting, commands)


def test_a_set_up_larger_than_the_ring_is_applied_in_order_and_told(running: EchoInstance) -> None:
    told: list[tuple[int, int]] = []
    wanted = [additions("line 1", 3, 1), additions("line 2", 5 * RING), additions("line 3", 1, 2)]
    ends: list[str] = []
    first = FirstCommands(
        missing=lambda state: wanted,
        told=lambda applied, total: told.append((applied, total)),
        applied=lambda: ends.append("applied"),
    )

    configure(ECHO, running.gate, running.gate.state(), first)

    totals = running.gate.state()[0]["totals"]
    total = 5 * RING + 4
    assert totals[:3].tolist() == [5 * RING, 3, 1]
    assert told[-1] == (total, total)
    assert told == sorted(told)
    assert ends == ["applied"]
    assert running.gate.counters()[f"{running.gate.ring_name}.busy"] == 0


def test_what_the_engine_refuses_is_named_and_nothing_counts_as_applied(running: EchoInstance) -> None:
    ends: list[str] = []
    wanted = [additions("line 1", 3), additions("line 2", 2, ACCOUNTS), additions("line 3", 1)]
    first = FirstCommands(missing=lambda state: wanted, applied=lambda: ends.append("applied"))

    with pytest.raises(StartError, match="line 2: refused by the engine, REFUSED"):
        configure(ECHO, running.gate, running.gate.state(), first)

    assert ends == []


def test_what_the_state_knows_already_is_not_sent(running: EchoInstance) -> None:
    seen: list[int] = []
    ends: list[str] = []

    def missing(state: np.ndarray) -> list[Definition]:
        seen.append(int(state[0]["seq"]))
        return []

    configure(ECHO, running.gate, running.gate.state(),
              FirstCommands(missing=missing, applied=lambda: ends.append("applied")))  # fmt: skip

    assert len(seen) == 1
    assert ends == ["applied"]
