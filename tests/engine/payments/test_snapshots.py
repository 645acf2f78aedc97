"""Snapshots of payments: their state takes more to describe than numpy's usual header has room for."""

from pathlib import Path

import numpy as np

from engine.contract.replica import Replica
from engine.payments.application import payments
from engine.runtime.journal.frames import Position
from engine.runtime.replay import snapshot
from tests.engine.payments.building import SMALL, Engine, pay
from tests.engine.runtime.journal.written import UnsyncedDisk


def taken(engine: Engine, data_dir: Path) -> Path:
    position = Position(engine.replica.seq, bytes(32))
    return snapshot.write(data_dir, engine.replica, position, engine.application, UnsyncedDisk())


def test_a_snapshot_brings_back_the_state(tmp_path: Path) -> None:
    engine, restored = Engine(), Replica(payments(SMALL))
    engine.tell(*(pay(number) for number in range(30)))
    path = taken(engine, tmp_path)

    found, complaints = snapshot.newest(tmp_path, engine.application)
    snapshot.restore(found, restored)

    assert complaints == []
    assert restored.state.tobytes() == engine.replica.state.tobytes()
    assert snapshot.layout_of(path, engine.application.name) == engine.application.state_dtype


def test_a_damaged_header_is_complained_of(tmp_path: Path) -> None:
    engine = Engine()
    path = taken(engine, tmp_path)
    raw = bytearray(path.read_bytes())
    raw[snapshot.NPY_HEAD_BYTES + 5] ^= 1
    path.write_bytes(raw)

    found, complaints = snapshot.newest(tmp_path, engine.application)

    assert found is None
    assert "numpy header is damaged" in complaints[0]


def test_a_user_reads_a_snapshot_with_numpy(tmp_path: Path) -> None:
    engine = Engine()
    path = taken(engine, tmp_path)

    record = np.load(path, mmap_mode="r", max_header_size=2**16)

    assert record["state"]["seq"][0] == engine.replica.seq
