"""Processes killed at random moments under load: nothing acknowledged is lost, nothing happens twice.

Clients keep their own record (clients.py), a thread looks at the cursors all the time (cursors.py).
At the end the journal is replayed and compared with the clients' record, and decided once more by
the independent oracle: its events, books and accounts are those of the replay and of the live engine.
The normal run kills a few times; PINION_CRASH_ROUNDS=200 is the long one, and prints its report.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from engine.contract import instance
from engine.contract.instance import PortError
from engine.contract.port import EventReader
from tests.engine.trading.comparison import standing_of_state
from tests.system.clients import Client
from tests.system.cursors import Cursors
from tests.system.record import Record
from tests.system.running import Running, await_true, is_running

ROUNDS = int(os.environ.get("PINION_CRASH_ROUNDS", "8"))
SEED = int(os.environ.get("PINION_CRASH_SEED", "1"))
CLIENTS = 3
PROCESS_COUNT = 8
VICTIMS = ("worker", "journaler", "http", "shadow", "worker and journaler", "supervisor", "all", "database")
Start = Callable[..., Running]


def kill(running: Running, victim: str) -> None:
    """Kill -9, as the machine would: these processes at once."""
    processes = {each.name: each.pid for each in instance.read(running.data_dir).processes}
    names = list(processes) if victim == "all" else victim.split(" and ")
    for name in names:
        with suppress(ProcessLookupError):  # the last round's restart is not in the file yet
            os.kill(processes[name], signal.SIGKILL)
    if "supervisor" in names:
        running.process.wait()
        await_true(lambda: not any(map(is_running, processes.values())), "the children end")


def await_serving(running: Running, what: str) -> None:
    await_true(lambda: is_serving(running), what)


def is_serving(running: Running) -> bool:
    """Tell whether every process lives again."""
    try:
        processes = instance.read(running.data_dir).processes
    except PortError:
        return False
    return len(processes) == PROCESS_COUNT and all(is_running(each.pid) for each in processes)


def test_nothing_acknowledged_is_lost_when_processes_are_killed(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    moments = random.Random(SEED)
    running = start()
    running.await_ready()
    clients = [Client(running, number, SEED) for number in range(CLIENTS)]
    cursors = Cursors(running.data_dir)
    for thread in (*clients, cursors):
        thread.start()
    killed = dict.fromkeys(VICTIMS, 0)
    for round_number in range(ROUNDS):
        time.sleep(moments.uniform(0.05, 0.6))
        victim = VICTIMS[round_number % len(VICTIMS)] if ROUNDS < 20 else moments.choice(VICTIMS)
        kill(running, victim)
        killed[victim] += 1
        if running.process.poll() is not None:
            running = start()
            running.await_ready()
            for client in clients:
                client.follow(running)
        await_serving(running, f"everything lives again after killing {victim}")
    time.sleep(0.3)
    for client in clients:
        client.stop()
    for client in clients:
        client.join(90)
        assert not client.is_alive()
    await_serving(running, "everything lives")
    standing = standing_of(running)
    assert running.stop() == 0
    cursors.stop()
    cursors.join()

    errors = running.errors.read_text()
    assert "the shadow stops" not in errors, errors
    record = Record(running.data_dir)
    record.check_order()
    decided = record.check_oracle(standing)
    checked = record.check_told([client.told for client in clients])
    cursors.check(record)
    retries = sum(client.told.retries for client in clients)
    duplicates = sum(len(client.told.duplicates) for client in clients)
    assert checked > 20 * ROUNDS
    assert cursors.sample_count > 100 * ROUNDS
    with capsys.disabled():
        print(
            f"\ncrash report: {ROUNDS} rounds, {killed}; {len(record.entries)} commands journaled, {checked} "
            f"answers checked, {retries} retries, {duplicates} told duplicate; lost 0, twice 0; {decided} "
            f"commands decided by the oracle: events, books and accounts equal to the replay's and the live "
            f"engine's; {cursors.sample_count} looks at the cursors, all in order"
        )


def standing_of(running: Running) -> dict[str, Any]:
    """Return the live engine's books and accounts, once no worker is rebuilding them."""
    with EventReader.attach(running.data_dir) as reader:
        await_true(lambda: reader.state_turn() % 2 == 0, "the state is rebuilt")
        return standing_of_state(reader.state())
