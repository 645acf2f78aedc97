"""Tier `recovery`: a journal of many commands replayed, and an instance started on it.

The journal is written by the pipeline with the production journaler, and replayed from its
first command by the engine that recovery uses; the whole state must come out as the worker had
it. On the way snapshots are taken as the shadow would, the last one as far from the end as it
can be. Then `pinion up` starts on that folder as after a power loss. Cases:

    replay/MIX    commands a second, reading and verifying included, the snapshots not
    restart/MIX   `pinion up` until ready: kernels loaded, newest snapshot, the tail; mean_ns is the time
"""

import dataclasses
import tempfile
import time
import urllib.request
from pathlib import Path

import msgspec

from engine.runtime.journal.disk import Disk
from engine.runtime.journal.read_ahead import read_ahead
from engine.runtime.replay import snapshot
from engine.trading.name import TRADING
from perf.bench_pipeline import Pipeline, check, pipeline, words_of
from perf.bench_step import BenchError, capacities_for
from perf.flow.generate import generate
from perf.flow.mixes import EXCHANGE_CORE, Mix
from perf.live import live
from perf.result import Line, Result
from pinion.cli.journal import data as journal_data

TIER = "recovery"
TOKEN = "benchmark-of-recovery"
CONFIG = f"""
[history]
enabled = false

[[keys]]
name = "bench"
token = "{TOKEN}"
roles = ["viewer"]
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Left:
    """What the worker had when all was read."""

    seq: int
    digest: str


def written(mix: Mix, count: int, data_dir: Path) -> Left:
    """Let the pipeline write the journal."""
    flow = generate(mix, count=count)
    with pipeline(mix, "sync", data_dir) as run:
        run.stream(words_of(flow), 0, len(flow.commands))
        check(flow, run)
        journal_data.remember(data_dir, TRADING, dataclasses.asdict(capacities_for(mix)))
        return _at_rest(run)


def _at_rest(run: Pipeline) -> Left:
    """Return the worker's state between two of its TICKs."""
    state = run.segments.state.slots
    while True:
        left = Left(int(state[0]["seq"]), run.segments.application.digest(state))
        if left.seq == int(state[0]["seq"]):
            return left


def replayed(mix: Mix, data_dir: Path, left: Left, snapshot_every: int) -> Line:
    """Replay from the first command on, taking snapshots on the way; return the line."""
    replica, reader = journal_data.open_journal(data_dir)
    application = journal_data.application_of(data_dir)
    disk = Disk()
    snapshots_s, snapshot_seq = 0.0, 0
    begun = time.perf_counter()
    for records, epoch, position in read_ahead(reader.stretches(left.seq, min(2**16, snapshot_every // 4))):
        replica.enter_epoch(epoch)
        replica.skip(records)
        if snapshot_seq + snapshot_every <= position.seq <= left.seq - snapshot_every * 9 // 10:
            began = time.perf_counter()
            snapshot.write(data_dir, replica, position, application, disk)
            snapshots_s += time.perf_counter() - began
            snapshot_seq = position.seq
    elapsed_s = time.perf_counter() - begun - snapshots_s
    if Left(replica.seq, application.digest(replica.state)) != left:
        raise BenchError(f"recovery: seq {replica.seq} differs from what the worker had at {left.seq}")
    return Result(
        tier=TIER,
        case=f"replay/{mix.name}",
        commands=left.seq,
        throughput_per_s=round(left.seq / elapsed_s),
        mean_ns=round(1e9 * elapsed_s / left.seq, 1),
        durability="sync",
    ).line()


def restarted(mix: Mix, data_dir: Path, left: Left) -> Line:
    """Start an instance on the folder; return the line."""
    tail = left.seq - max((int(path.stem) for path in snapshot.snapshot_paths(data_dir)), default=0)
    config = data_dir / "config.toml"
    config.write_text(CONFIG)
    begun = time.perf_counter()
    with live(config, data_dir) as instance:
        elapsed_s = time.perf_counter() - begun
        request = urllib.request.Request(
            f"http://127.0.0.1:{instance.api_port}/v1/status", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request) as answer:
            seq = msgspec.json.decode(answer.read())["seq"]
    if seq < left.seq:
        raise BenchError(f"recovery: came back at seq {seq} of {left.seq}")
    return Result(
        tier=TIER,
        case=f"restart/{mix.name}, {tail:,} behind the snapshot",
        commands=left.seq,
        mean_ns=round(1e9 * elapsed_s, 1),
        durability="sync",
    ).line()


def run(quick: bool) -> list[Line]:
    """Write, replay, restart."""
    count, every = (20_000, 5_000) if quick else (20_000_000, 5_000_000)
    with tempfile.TemporaryDirectory(prefix="pinion-perf-") as folder:
        data_dir = Path(folder)
        left = written(EXCHANGE_CORE, count, data_dir)
        return [
            replayed(EXCHANGE_CORE, data_dir, left, every),
            restarted(EXCHANGE_CORE, data_dir, left),
        ]
