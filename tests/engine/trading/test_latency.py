"""Latencies of a replay: percentiles from nanoseconds to seconds, the first commands apart."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.trading.offline.latency import EXACT_NS, FIRST, FIRST_COMMANDS, STEADY, Latencies, count_latencies
from pinion.cli.main import main
from ringbuf.cycles import CYCLE_BITS

MS, S = 1_000_000, 1_000_000_000


def counted(*took_ns: int, first_seq: int = 1) -> Latencies:
    """Return the counts of commands that took so long."""
    latencies = Latencies(is_counting=True)
    cycles = np.array(took_ns, np.int64)
    count_latencies(latencies.counts, latencies.longest_ns, first_seq, cycles, 1 << CYCLE_BITS)
    return latencies


def test_percentiles_beyond_a_millisecond_are_not_the_maximum() -> None:
    latencies = counted(200, 300, 2 * MS, 3 * MS, 3 * MS, 44 * MS, 2 * S, 70 * S)

    assert latencies.percentile_ns(FIRST, 12.5) == 200
    assert latencies.percentile_ns(FIRST, 50) == pytest.approx(3 * MS, rel=0.07)
    assert latencies.percentile_ns(FIRST, 75) == pytest.approx(44 * MS, rel=0.07)
    assert latencies.percentile_ns(FIRST, 87.5) == pytest.approx(2 * S, rel=0.07)
    assert latencies.percentile_ns(FIRST, 99.9) == 70 * S


@pytest.mark.parametrize("took", [0, 1, 17, EXACT_NS - 1])
def test_up_to_a_millisecond_every_nanosecond_counts(took: int) -> None:
    assert counted(took, EXACT_NS).percentile_ns(FIRST, 50) == took


def test_the_first_commands_are_counted_apart() -> None:
    latencies = counted(9 * MS, 9 * MS, 100, 101, first_seq=FIRST_COMMANDS - 1)

    assert latencies.percentile_ns(STEADY, 50) == 100
    assert latencies.percentile_ns(STEADY, 100) == latencies.longest_ns[STEADY] == 101
    assert latencies.longest_ns[FIRST] == 9 * MS
    steady, first = latencies.lines()
    figures = "p50 100, p90 101, p99 101, p99.9 101, max 101"
    assert steady == f"latency per command, ns       {figures} (with hints and moved events)"
    assert first.startswith("  the first 2 commands        p50 9,")


def test_nothing_is_said_where_nothing_was_timed() -> None:
    assert list(Latencies(is_counting=False).lines()) == []


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (8, ["none behind the first 8 commands", "the first 8 commands"]),
        (1002, ["p50 ", "the first 1,000 commands"]),
    ],
)
def test_statistics_name_what_came_first(
    count: int, said: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "ends.jsonl"
    source.write_text("".join(json.dumps({"op": "session_end"}) + "\n" for _ in range(count)))

    assert main(["replay", str(source), "--stats"]) == 0

    lines = capfd.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("latency per command"))
    assert lines[at].startswith(f"latency per command, ns       {said[0]}")
    assert lines[at + 1].strip().startswith(said[1])
