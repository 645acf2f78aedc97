"""The plain service and the engine answer the same; and the traffic that shows it reaches everything."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from perf.traffic.items import PAY, Item
from perf.traffic.traffic import Traffic
from ringbuf.kernel_cache import ROOT
from tests.payments.comparison import Comparison, compared, items_of
from tests.payments.coverage import Coverage
from tests.payments.legacy.faults import FAULTS
from tests.payments.legacy_side import LegacySide

IS_LONG = os.environ.get("PINION_LONG") == "1"
SEEDS = range(24 if IS_LONG else 4)
COUNT = 50_000 if IS_LONG else 20_000
PLAIN_SEED, PLAIN_COUNT = 5, 1_500
Played = Mapping[int, tuple[list[str], Coverage]]


@pytest.fixture(scope="module")
def played() -> Played:
    """Every seed, played once."""
    return {seed: compared(seed, COUNT) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_both_sides_answer_the_same(played: Played, seed: int) -> None:
    found, _ = played[seed]

    assert not found, f"{len(found)} differences, the first of seed {seed}:\n{found[0]}"


def test_every_code_rule_and_state_is_reached(played: Played) -> None:
    total = Coverage()
    for _, coverage in played.values():
        total.update(coverage)

    assert total.missing() == []


def test_one_traffic_reaches_every_code_rule_state_and_cell() -> None:
    traffic = Traffic(0)
    legacy, coverage = LegacySide(traffic.settings), Coverage()
    payments: list[int] = []
    for number, item in enumerate(items_of(traffic, 80_000)):
        reply = legacy.answer(item, number + 1, payments[item.of] if item.of >= 0 else 0)
        payments.append(number + 1)
        coverage.add(item, reply)

    assert coverage.missing() == []
    assert coverage.missing_cells() == []


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_each_fault_of_the_plain_service_is_found(fault: str) -> None:
    traffic = Traffic(0)
    comparison = Comparison(traffic.settings)
    comparison.legacy = LegacySide(traffic.settings, frozenset([fault]))

    found = next(comparison.play(items_of(traffic, 30_000)), None)

    assert found is not None


def test_a_difference_names_what_differs_and_repeats_by_its_item() -> None:
    traffic = Traffic(0)
    comparison = Comparison(traffic.settings)
    comparison.legacy = LegacySide(traffic.settings, frozenset(["present_not_counted"]))

    found = next(comparison.play(items_of(traffic, 30_000)))

    assert found.item.kind == PAY
    assert found.item == list(items_of(Traffic(0), 30_000))[found.number]
    assert "legacy != engine: " in str(found)


def test_the_kernels_answer_the_same_as_plain_python() -> None:
    script = (
        "from tests.payments.comparison import compared\n"
        f"found, coverage = compared({PLAIN_SEED}, {PLAIN_COUNT})\n"
        "print(len(found), sum(coverage.codes.values()), *found[:1])\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr[-3000:]
    assert finished.stdout.startswith("0 1"), finished.stdout


def test_what_is_refused_for_its_form_takes_no_seq_on_either_side() -> None:
    comparison = Comparison({})
    before = comparison.engine.seq

    assert list(comparison.play([Item(PAY, "{"), Item(PAY, {})])) == []
    assert comparison.engine.seq == before
