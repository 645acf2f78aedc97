"""Every rule of the library at the value, one below and one above, compiled and as plain Python alike."""

from datetime import UTC, datetime

import numpy as np
import pytest

from engine.rules.language.source import read_set
from engine.rules.samples import samples
from engine.rules.trial import require_fast, tried
from engine.trading.rules.vocabulary import CONTEXT, FIELDS, VOCABULARY
from engine.trading.rules.words import symbol
from tests.engine.trading.rules.library import NAMES, made, path_of, refuses

BUY, SELL, MARKET = 1, 2, 2


Words = dict[str, int]


def at(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> Words:
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return {"ts_ms": int(moment.timestamp() * 1000)}


CASES: tuple[tuple[str, Words, Words, Words, bool], ...] = (
    # 5 per cent above the best ask, or below the best bid
    ("fat_finger", {"px": 1050}, {"ask": 1000}, {}, False),
    ("fat_finger", {"px": 1051}, {"ask": 1000}, {}, True),
    ("fat_finger", {"px": 1051}, {"bid": 999}, {}, False),
    ("fat_finger", {"px": 950, "side": SELL}, {"bid": 1000}, {}, False),
    ("fat_finger", {"px": 949, "side": SELL}, {"bid": 1000}, {}, True),
    ("fat_finger", {"px": 1, "side": SELL}, {"ask": 1000}, {}, False),
    ("fat_finger", {"px": 2000, "type": MARKET}, {"ask": 1000}, {}, False),
    ("fat_finger", {"px": 1010}, {"ask": 1000}, {"bps": 99}, True),
    ("fat_finger", {"px": 1010}, {"ask": 1000}, {"bps": 100}, False),
    # 10 per cent off the last trade
    ("off_last_trade", {"px": 1100}, {"last": 1000}, {}, False),
    ("off_last_trade", {"px": 1101}, {"last": 1000}, {}, True),
    ("off_last_trade", {"px": 900}, {"last": 1000}, {}, False),
    ("off_last_trade", {"px": 899}, {"last": 1000}, {}, True),
    ("off_last_trade", {"px": 5000}, {"last": 0}, {}, False),
    # a quarter of the last minute's volume, once a thousand lots were traded
    ("own_volume", {"leaves": 100}, {"volume_1m": 1000, "filled_1m": 150}, {}, False),
    ("own_volume", {"leaves": 101}, {"volume_1m": 1000, "filled_1m": 150}, {}, True),
    ("own_volume", {"leaves": 900}, {"volume_1m": 999, "filled_1m": 150}, {}, False),
    ("own_volume", {"leaves": 2**62}, {"volume_1m": 2**62, "filled_1m": 2**62}, {}, True),
    # from 08:00 to 22:00, Monday to Friday
    ("odd_hours", at(2026, 11, 30, 7, 59, 59), {}, {}, True),
    ("odd_hours", at(2026, 11, 30, 8), {}, {}, False),
    ("odd_hours", at(2026, 11, 30, 21, 59, 59), {}, {}, False),
    ("odd_hours", at(2026, 11, 30, 22), {}, {}, True),
    ("odd_hours", at(2026, 12, 4, 12), {}, {}, False),
    ("odd_hours", at(2026, 12, 5, 12), {}, {}, True),
    ("odd_hours", at(2026, 12, 6, 12), {}, {}, True),
    ("odd_hours", at(2026, 12, 6, 12), {}, {"weekend": 1}, False),
    ("odd_hours", at(2026, 11, 30, 23), {}, {"open_minute": 1320, "close_minute": 120}, False),
    ("odd_hours", at(2026, 11, 30, 1, 59), {}, {"open_minute": 1320, "close_minute": 120}, False),
    ("odd_hours", at(2026, 11, 30, 2), {}, {"open_minute": 1320, "close_minute": 120}, True),
    ("odd_hours", at(2026, 11, 30, 21, 59), {}, {"open_minute": 1320, "close_minute": 120}, True),
    ("allow_instruments", {"symbol": symbol("BTC-USD")}, {}, {}, False),
    ("allow_instruments", {"symbol": symbol("ETH-USD")}, {}, {}, False),
    ("allow_instruments", {"symbol": symbol("AAPL")}, {}, {}, True),
    ("allow_instruments", {"symbol": 0}, {}, {}, True),
    ("allow_instruments", {"symbol": symbol("AAPL")}, {}, {"allow": 1}, False),
    ("allow_sides", {"side": BUY}, {}, {}, False),
    ("allow_sides", {"side": SELL}, {}, {}, False),
    ("allow_sides", {"side": BUY}, {}, {"buy": 0}, True),
    ("allow_sides", {"side": SELL}, {}, {"buy": 0}, False),
    ("allow_sides", {"side": SELL}, {}, {"sell": 0}, True),
    ("one_price", {}, {"orders_at_px": 9}, {}, False),
    ("one_price", {}, {"orders_at_px": 10}, {}, True),
    ("one_price", {}, {"orders_at_px": 1}, {"most": 1}, True),
    ("cool_off", {}, {"loss_age_ms": -1}, {}, False),
    ("cool_off", {}, {"loss_age_ms": 0}, {}, True),
    ("cool_off", {}, {"loss_age_ms": 59_999}, {}, True),
    ("cool_off", {}, {"loss_age_ms": 60_000}, {}, False),
)


@pytest.mark.parametrize(("name", "order", "ctx", "params", "is_refused"), CASES)
def test_a_rule_of_the_library_refuses_what_it_says(
    name: str, order: dict[str, int], ctx: dict[str, int], params: dict[str, int], is_refused: bool
) -> None:
    assert refuses(name, order, ctx, **params) == is_refused


def test_every_rule_of_the_library_has_cases_of_both_kinds() -> None:
    assert {name for name, *_, is_refused in CASES if is_refused} == set(NAMES)
    assert {name for name, *_, is_refused in CASES if not is_refused} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_of_the_library_stands_its_trial_without_a_fault(name: str) -> None:
    luck = np.random.default_rng(3)
    p, ctx = (samples(each.values(), 10_000, luck) for each in (FIELDS, CONTEXT))

    (found,) = tried(made(name), p, ctx)

    require_fast([found])
    assert found.faults == 0
    assert found.rule.name == name


def test_the_whole_library_is_one_set() -> None:
    files = {path_of(name).name: path_of(name).read_text() for name in NAMES}

    rules = read_set(files, VOCABULARY)

    assert [each.name for each in rules] == NAMES
