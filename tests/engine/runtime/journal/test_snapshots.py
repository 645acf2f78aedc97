"""Snapshots: the newest whole one is used, the one before stays, nothing doubtful is believed."""

import errno
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract.replica import Replica
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import Position
from engine.runtime.replay import snapshot
from engine.runtime.replay.snapshot import OtherLayoutError, SnapshotError
from tests.engine.runtime.echo import STATE, application
from tests.engine.runtime.journal.faults import FailingDisk
from tests.engine.runtime.journal.power import after_loss, make
from tests.engine.runtime.journal.written import UnsyncedDisk, commands

ECHO = application()
_FIELDS = [(name, STATE[name]) for name in STATE.names or ()]
OTHER = np.dtype([*_FIELDS, ("more", "<i8")])


class Keeper:
    """A replica and the folder of its snapshots."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.replica = Replica(ECHO)
        self.digests: dict[int, bytes] = {}

    def take(self, count: int, disk: Disk | None = None) -> Path:
        """Apply so many commands more, then write a snapshot."""
        first = self.replica.seq + 1
        self.replica.enter_epoch(1)
        self.replica.skip(commands(first, range(first, first + count)))
        seq = self.replica.seq
        position = Position(seq, bytes([seq % 256]) * 32)
        self.digests[seq] = self.replica.state.tobytes()
        return snapshot.write(self.data_dir, self.replica, position, ECHO, disk or UnsyncedDisk())

    def newest(self) -> tuple[int, list[str]]:
        """Restore the newest usable snapshot; return its seq, 0 for none, and the complaints."""
        found, complaints = snapshot.newest(self.data_dir, ECHO)
        restored = Replica(ECHO)
        position = snapshot.restore(found, restored)
        if found is not None:
            assert restored.state.tobytes() == self.digests[position.seq]
            assert restored.seq == position.seq
            assert position.digest == bytes([position.seq % 256]) * 32
        return position.seq, complaints


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path)


def test_without_snapshots_a_replica_begins_at_the_start(keeper: Keeper) -> None:
    assert keeper.newest() == (0, [])


def test_a_snapshot_brings_back_state_marks_and_epoch(keeper: Keeper) -> None:
    keeper.take(30)

    found, _ = snapshot.newest(keeper.data_dir, ECHO)
    restored = Replica(ECHO)
    snapshot.restore(found, restored)

    assert restored.state.tobytes() == keeper.replica.state.tobytes()
    assert restored.marks.tobytes() == keeper.replica.marks.tobytes()
    assert restored.epoch == 1


def test_a_user_reads_a_snapshot_with_numpy(keeper: Keeper) -> None:
    path = keeper.take(30)

    record: Any = np.load(path, mmap_mode="r")

    assert (record["meta"]["seq"][0], record["state"]["seq"][0]) == (30, 30)
    assert record["state"]["totals"][0, 0] == sum(range(1, 31))


def test_the_newest_is_used_and_the_one_before_is_kept(keeper: Keeper) -> None:
    for _ in range(4):
        keeper.take(10)

    assert [path.name for path in snapshot.snapshot_paths(keeper.data_dir)] == [
        snapshot.snapshot_name(40),
        snapshot.snapshot_name(30),
    ]
    assert keeper.newest() == (40, [])


def test_a_damaged_newest_is_complained_of_and_the_older_used(keeper: Keeper) -> None:
    keeper.take(10)
    path = keeper.take(10)
    raw = bytearray(path.read_bytes())
    raw[snapshot.NPY_HEAD_BYTES + snapshot.META_BYTES + 5] ^= 1
    path.write_bytes(raw)

    assert keeper.newest() == (10, [f"{path}: is damaged: its content does not fit its digest"])


def test_later_ones_that_are_damaged_do_not_push_out_good_ones(keeper: Keeper) -> None:
    keeper.take(10)
    for seq in (800, 900):
        (keeper.data_dir / snapshot.FOLDER / snapshot.snapshot_name(seq)).write_bytes(b"damaged")

    keeper.take(10)
    keeper.take(10)

    seq, complaints = keeper.newest()
    assert (seq, len(complaints)) == (30, 2)
    assert len(snapshot.snapshot_paths(keeper.data_dir)) == 4


def test_a_flip_anywhere_is_found(keeper: Keeper) -> None:
    path = keeper.take(30)
    whole = path.read_bytes()
    rng = random.Random(3)
    heads = snapshot.NPY_HEAD_BYTES + snapshot.META_BYTES
    places = [*range(0, heads, 61), *range(heads, heads + 200), *rng.sample(range(heads, len(whole)), 100)]

    for at in places:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(SnapshotError, match=str(path)):
            snapshot.load(path, ECHO)


def test_a_file_cut_anywhere_is_refused(keeper: Keeper) -> None:
    path = keeper.take(30)
    whole = path.read_bytes()

    for size in (0, 5, 100, snapshot.NPY_HEAD_BYTES, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(SnapshotError, match=str(path)):
            snapshot.load(path, ECHO)


def test_another_layout_is_named_and_read_by_what_its_own_header_says(keeper: Keeper) -> None:
    path = keeper.take(10)
    other = replace(ECHO, state_dtype=OTHER)

    with pytest.raises(OtherLayoutError, match=f"pinion journal migrate {keeper.data_dir}"):
        snapshot.load(path, other)
    found = snapshot.load_other(path, other)

    assert found.record["state"].dtype == STATE
    assert found.record["state"].tobytes() == keeper.digests[10]


def test_another_application_is_refused_whatever_layout_it_has(keeper: Keeper) -> None:
    path = keeper.take(10)

    for state_dtype in (STATE, OTHER):
        other = replace(ECHO, name="other", state_dtype=state_dtype)
        with pytest.raises(SnapshotError, match="other capacities or another application") as fault:
            snapshot.load(path, other)
        assert not isinstance(fault.value, OtherLayoutError)
        with pytest.raises(SnapshotError, match="another application's"):
            snapshot.load_other(path, other)


def test_a_flip_in_a_snapshot_of_another_layout_is_found(keeper: Keeper) -> None:
    path, other = keeper.take(30), replace(ECHO, state_dtype=OTHER)
    whole = path.read_bytes()
    heads = snapshot.NPY_HEAD_BYTES + snapshot.META_BYTES

    for at in (*range(0, heads, 5), *range(heads, heads + 400, 67)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        with pytest.raises(SnapshotError, match=str(path)):
            snapshot.load_other(path, other)


def test_a_renamed_snapshot_is_refused(keeper: Keeper) -> None:
    path = keeper.take(10)
    path.rename(path.with_name(snapshot.snapshot_name(99)))

    assert keeper.newest()[0] == 0


def test_a_snapshot_that_vanishes_while_it_is_looked_at_is_passed_over(keeper: Keeper) -> None:
    path = keeper.take(10)
    path.unlink()

    with pytest.raises(SnapshotError, match="cannot be read"):
        snapshot.load(path, ECHO)


def test_a_state_cleared_by_its_file_is_all_zeros(keeper: Keeper) -> None:
    path = keeper.take(30)
    offset = snapshot.NPY_HEAD_BYTES + snapshot.META_BYTES
    state: Any = np.memmap(path, STATE, "r+", offset, (1,))

    snapshot.clear(state, path, offset)

    assert not state.view(np.uint8).any()


def test_whatever_operation_fails_the_older_snapshot_is_still_used(tmp_path: Path) -> None:
    at = 0
    while True:
        keeper = Keeper(tmp_path / str(at))
        keeper.data_dir.mkdir()
        keeper.take(10)
        folder = keeper.data_dir / snapshot.FOLDER
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        disk = FailingDisk(folder, files, fails_at=at, error=errno.ENOSPC)
        try:
            keeper.take(10, disk)
        except OSError:
            assert disk.failed
            assert not (folder / snapshot.DRAFT).exists() or disk.failed in ("rename", "remove")
        for seed in range(4):
            after = Keeper(tmp_path / f"{at}-{seed}")
            after.digests = keeper.digests
            make(after.data_dir / snapshot.FOLDER, after_loss(disk.log, random.Random(seed)))
            assert after.newest() in [(10, []), (20, [])]
        if not disk.failed:
            break
        at += 1
    assert at > 7
