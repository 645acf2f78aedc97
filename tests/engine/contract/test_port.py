"""The port: one ring to one process, own events only, laps told, spare rings given back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.contract import instance
from engine.contract.instance import PortError
from engine.contract.port import EventReader, Port, attach_state, claim_spare
from tests.engine.runtime.bench import Bench, running
from tests.engine.runtime.echo import ADD, COMMAND, slots_of


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with running(tmp_path) as made:
        yield made


def commands(number: int, /, **fields: int) -> np.ndarray:
    """Return so many commands with these fields."""
    made = np.zeros(number, COMMAND)
    made["op"] = ADD
    for name, value in fields.items():
        made[name] = value
    return made


def test_what_is_submitted_comes_back_as_events_of_this_ring(bench: Bench, tmp_path: Path) -> None:
    with Port.attach(tmp_path, "a") as ours, Port.attach(tmp_path, "b") as theirs:
        ours.submit(commands(3, req_seq=7))
        theirs.submit(commands(5, req_seq=8))
        bench.run_until_applied(8)

        assert ours.drain()["req_seq"].tolist() == [7] * 3
        assert theirs.drain()["req_seq"].tolist() == [8] * 5
        assert not ours.has_news()
        assert ours.seq == 8


def test_a_full_ring_accepts_what_fits_and_counts_the_rest(bench: Bench, tmp_path: Path) -> None:
    with Port.attach(tmp_path, "a") as gate:
        assert gate.submit(commands(100)) == 64
        assert gate.depth() == 64
        assert gate.counters()["a.busy"] == 36


def test_submit_stamps_the_gateway_clock_once(bench: Bench, tmp_path: Path) -> None:
    before = time.time_ns()
    with Port.attach(tmp_path, "a") as gate:
        given = commands(2)
        given["gw_ts"][1] = 5
        gate.submit(given)
        bench.run_until_applied(2)

    stamps = bench.segments.journal.slots["command"]["gw_ts"][:2]
    assert before <= stamps[0] <= time.time_ns()
    assert stamps[1] == 5


def test_a_ring_belongs_to_one_holder(bench: Bench, tmp_path: Path) -> None:
    with Port.attach(tmp_path, "a"), pytest.raises(PortError, match=f"held by process {os.getpid()}"):
        Port.attach(tmp_path, "a")

    Port.attach(tmp_path, "a").close()


def test_an_unknown_ring_is_refused_with_the_known_ones(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(PortError, match="there are a, b, spare-0"):
        Port.attach(tmp_path, "c")


def test_a_folder_without_an_instance_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="pinion up --data"):
        Port.attach(tmp_path, "a")


def test_a_lapped_reader_counts_and_goes_on_with_the_newest(bench: Bench, tmp_path: Path) -> None:
    with Port.attach(tmp_path, "a") as gate:
        gate.submit(commands(1, count=4_000))
        bench.run_until_applied(1)

        assert len(gate.drain()) == 0
        assert (gate.laps, gate.lost) == (1, slots_of(4_000))
        gate.submit(commands(1, req_seq=9))
        bench.run_until_applied(2)
        assert gate.drain()["req_seq"].tolist() == [9]


def test_session_ids_are_never_given_twice(bench: Bench, tmp_path: Path) -> None:
    given = []
    for _ in range(2):
        with Port.attach(tmp_path, "a") as gate, Port.attach(tmp_path, "b") as other:
            given += [gate.next_session(), gate.next_session(), other.next_session()]

    assert len(set(given)) == 6
    assert min(given) > 0


def test_event_reader_sees_every_ring(bench: Bench, tmp_path: Path) -> None:
    with EventReader.attach(tmp_path) as reader:
        bench.send(0, 2)
        bench.send(1, 3)
        bench.run_until_applied(5)

        assert len(reader.drain()) == 5
        assert reader.durable_seq() == 5
        assert reader.histograms()["ring_wait"].count == 5


def test_the_state_is_mapped_read_only(bench: Bench, tmp_path: Path) -> None:
    bench.send(0, 3, mark=5)
    bench.run_until_applied(3)

    state = attach_state(tmp_path)

    assert state["totals"][0, 0] == 15
    with pytest.raises(ValueError, match="read-only"):
        state["totals"][0, 0] = 1


def test_a_killed_feeder_gives_its_spare_ring_back(bench: Bench, tmp_path: Path) -> None:
    feeder = (
        "import sys; from pathlib import Path; from engine.contract.port import claim_spare\n"
        "gate = claim_spare(Path(sys.argv[1])); print(gate.ring_idx, flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", feeder, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "2"
        with pytest.raises(PortError, match=f"in use .*{process.pid}"):
            claim_spare(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with claim_spare(tmp_path) as gate:
            assert gate.ring_idx == 2
    finally:
        process.kill()
        process.communicate()


def test_a_segment_of_another_epoch_is_refused(bench: Bench, tmp_path: Path) -> None:
    found = instance.read(tmp_path)

    with pytest.raises(PortError, match="epoch"):
        instance.attach_events(msgspec.structs.replace(found, epoch=2))


def test_an_unreadable_instance_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text("{")

    with pytest.raises(PortError, match=r"instance\.json cannot be read"):
        instance.read(tmp_path)
