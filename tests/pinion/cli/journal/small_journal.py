"""A data folder of small capacities, written as the processes of an instance would."""

from dataclasses import asdict
from pathlib import Path
from random import Random

import numpy as np

from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import Position
from engine.runtime.journal.journal import JournalReader
from engine.runtime.journal.survey import survey
from engine.runtime.journal.writer import JournalWriter
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import EraReplica, load_snapshot, owner_over_eras
from engine.trading.capacities import Capacities
from engine.trading.name import TRADING
from engine.trading.records import Op, Side
from pinion.cli.journal.data import application_of, remember
from tests.capacities import SMALL
from tests.engine.runtime.echo_tools import BOTH
from tests.engine.runtime.journal.written import UnsyncedDisk
from tests.engine.trading.command_records import buy, currency, instrument, order, record, unlimited_account

PER_FRAME = 7
DEFINITIONS = (
    *(currency(b"USD"), instrument(b"A"), instrument(b"B")),
    *(unlimited_account(number) for number in (1, 2, 3)),
)


def resting(first: int, count: int) -> list[np.ndarray]:
    """Return buys that do not trade, of client ids from `first` on."""
    return [
        buy(1 + number % 3, 10 + number % 50, 1, client_order_id=number)
        for number in range(first, first + count)
    ]


def mixed(first: int, count: int, seed: int) -> list[np.ndarray]:
    """Return orders of both sides in both books, and cancels; of client ids from `first` on."""
    rng, made = Random(seed), []
    for number in range(first, first + count):
        if rng.random() < 0.3:
            name = rng.randint(1, number)
            made.append(record(Op.CANCEL, account=1 + name % 3, client_order_id=name))
            continue
        side = rng.choice((Side.BUY, Side.SELL))
        px, qty = 30 + rng.randint(-9, 9), rng.randint(1, 9)
        made.append(order(1 + number % 3, rng.randint(0, 1), side, px, qty, client_order_id=number))
    return made


def begin(data_dir: Path, capacities: Capacities = SMALL) -> None:
    """Make an empty folder for these capacities."""
    remember(data_dir, TRADING, asdict(capacities))


def append(data_dir: Path, commands: list[np.ndarray], slot_count: int = 64) -> Position:
    """Start on the folder, journal these commands, stop; return the journal's end."""
    application = application_of(data_dir, BOTH)
    owner = application.owner
    floors = [load_snapshot(path, application)[0] for path in snapshot.snapshot_paths(data_dir)]
    floor = floors[0].position if floors else journal.START
    found = survey(data_dir / journal.FOLDER, floor, owner)
    epoch = found.next_number
    writer = JournalWriter(
        data_dir / journal.FOLDER, UnsyncedDisk(), owner=owner, epoch=epoch, slot_count=slot_count
    )
    writer.begin(found.next_number, found.durable, found.tail)
    seq = found.end.seq
    entries = np.zeros(len(commands), application.entry_dtype)
    entries["seq"] = np.arange(seq + 1, seq + 1 + len(commands))
    entries["eng_ts"] = 1_000_000 * entries["seq"]
    entries["ring_seq"] = np.arange(len(commands))
    if commands:
        entries["command"] = np.concatenate(commands)
    while len(entries):
        count = min(PER_FRAME, writer.room, len(entries))
        if count == 0:
            writer.rotate()
            continue
        seq = writer.append(entries[:count].view(np.uint8), np.zeros(0, np.uint8), seq)
        entries = entries[count:]
    writer.close()
    return survey(data_dir / journal.FOLDER, floor, owner).end


def replayed(data_dir: Path, upto: int = 2**62) -> EraReplica:
    """Return the state behind `upto`, replayed from the very beginning."""
    application = application_of(data_dir, BOTH)
    replica = EraReplica(application)
    reader = JournalReader(data_dir / journal.FOLDER, owner=owner_over_eras(application))
    for records, epoch, _ in reader.stretches(upto):
        replica.enter_epoch(epoch)
        replica.skip(records)
    return replica


def take_snapshot(data_dir: Path, upto: int = 2**62) -> Path:
    """Write a snapshot behind the last frame that begins at or before `upto`."""
    application = application_of(data_dir, BOTH)
    replica = replayed(data_dir, upto)
    replica.arrive()
    *_, last = (
        frame
        for frame in JournalReader(data_dir / journal.FOLDER, owner=owner_over_eras(application))
        if frame.first_seq <= upto
    )
    state = replica._replica
    return snapshot.write(data_dir, state, last.end, application, Disk())
