"""Latency counts from the intended send time, and the counts add up."""

import numpy as np
import pytest

from gateways.feed.meter import SECOND_NS, Meter


@pytest.fixture
def clock() -> list[int]:
    """The time, which stands still until the test moves it."""
    return [5 * SECOND_NS]


def test_command_sent_late_is_late_from_its_intended_time(clock: list[int]) -> None:
    meter = Meter(rate=1000, clock=lambda: clock[0])
    clock[0] += 10_000_000  # ten commands are due, the first since 10 ms

    assert meter.due() == 11
    meter.send(11)
    meter.answer(np.arange(11))

    report = "\n".join(meter.report())
    assert "latency from the intended send time" in report
    assert "max 10,0" in report


def test_without_a_rate_the_hand_over_counts(clock: list[int]) -> None:
    meter = Meter(rate=None, clock=lambda: clock[0])
    clock[0] += 10_000_000

    meter.send(3)
    clock[0] += 2_000
    meter.answer(np.array([0, 2]))

    assert meter.in_flight == 1
    assert "latency from the hand-over: p50 2.0 us" in "\n".join(meter.report())


def test_live_line_tells_of_the_time_since_the_last_one(clock: list[int]) -> None:
    meter = Meter(rate=None, clock=lambda: clock[0])
    meter.send(100)
    clock[0] += SECOND_NS // 2
    meter.answer(np.arange(100))
    meter.fills += 10

    first = meter.live_line("ring 3")
    clock[0] += SECOND_NS

    assert "200 commands/s" in first
    assert "20 fills/s" in first
    assert "ring 3" in first
    assert " 0 commands/s" in meter.live_line("ring 0")


def test_report_counts_rejections_by_reason_and_what_stayed_unanswered(clock: list[int]) -> None:
    meter = Meter(rate=None, clock=lambda: clock[0])
    meter.send(10)
    meter.answer(np.arange(6))
    meter.rejections.update({"price_band": 2, "no_liquidity": 1})
    meter.refusals["off_tick"] += 3

    meter.give_up()

    report = "\n".join(meter.report())
    assert meter.in_flight == 0
    assert "rejected 3, refused at the door 3" in report
    assert "rejected: 2 price_band, 1 no_liquidity" in report
    assert "refused at the door: 3 off_tick" in report
    assert "unanswered 4" in report


def test_live_line_counts_what_was_refused_by_reason(clock: list[int]) -> None:
    meter = Meter(rate=None, clock=lambda: clock[0])
    assert "refused" not in meter.live_line("ring 0")

    meter.rejections.update({"price_band": 2, "no_liquidity": 1})
    meter.refusals["off_tick"] += 3

    assert meter.live_line("ring 0").endswith("ring 0  refused 3 off_tick, 2 price_band, 1 no_liquidity")


def test_report_says_what_the_common_reasons_mean(clock: list[int]) -> None:
    meter = Meter(rate=None, clock=lambda: clock[0])
    meter.rejections.update({"unknown_order": 1200, "duplicate": 2})

    (line,) = (line for line in meter.report() if "unknown_order" in line)

    assert line.startswith("  rejected: 1,200 unknown_order (the order had ended already")
    assert "2 duplicate (the client id was used before" in line


def test_a_latency_of_minutes_is_told_as_it_was(clock: list[int]) -> None:
    meter = Meter(rate=None, clock=lambda: clock[0])
    meter.send(1)
    clock[0] += 3600 * SECOND_NS

    meter.answer(np.array([0]))

    (line,) = (line for line in meter.report() if line.startswith("latency"))
    told_us = float(line.partition("max ")[2].removesuffix(" us").replace(",", ""))
    assert told_us == pytest.approx(3600e6, rel=0.01)
