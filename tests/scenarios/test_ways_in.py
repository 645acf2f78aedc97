"""Every way into the book or to a fill, by every limit: at the value, and one beyond it (exchange rule S21).

Each way ends in account 1 buying 10 XYZ at 10.00. Lines are those of the scenarios (script.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.scenarios.test_scenarios import Side, answers, both_sides, prepared

OTHERS = ("2> sell 10 @ 10.00 #20 symbol={symbol}",)


@dataclass(frozen=True)
class Way:
    """A way in: lines ahead of it, the line that is judged, and what kind of way it is."""

    last: str
    before: tuple[str, ...] = ()
    rests: bool = False
    is_replace: bool = False
    has_no_price: bool = False
    is_sized: bool = False

    @property
    def others(self) -> int:
        """Return how many orders stand in the book already, its own included."""
        return len(self.before)


WAYS = {
    "limit": Way("1> buy 10 @ 10.00 #9", rests=True),
    "limit that crosses": Way("1> buy 10 @ 10.00 #9", OTHERS, rests=True),
    "post-only": Way("1> buy 10 @ 10.00 #9 post_only", rests=True),
    "day": Way("1> buy 10 @ 10.00 #9 day", rests=True),
    "market": Way("1> buy 10 market #9 price=10.00", OTHERS, has_no_price=True),
    "immediate or cancel": Way("1> buy 10 @ 10.00 #9 ioc", OTHERS),
    "immediate that finds nothing": Way("1> buy 10 @ 10.00 #9 ioc"),
    "fill or kill": Way("1> buy 10 @ 10.00 #9 fok", OTHERS),
    "sized": Way("1> buy fixed_notional:amount=100 @ 10.00 #9", rests=True, is_sized=True),
    "quantity up": Way(
        "1> replace #9 quantity=10", ("1> buy 5 @ 10.00 #9 symbol={symbol}",), is_replace=True
    ),
    "price up": Way("1> replace #9 price=10.00", ("1> buy 10 @ 9.99 #9 symbol={symbol}",), is_replace=True),
    "replace that crosses": Way(
        "1> replace #9 price=10.00 quantity=10",
        ("1> buy 5 @ 9.99 #9 symbol={symbol}", *OTHERS),
        is_replace=True,
    ),
}

Applies = Callable[[Way], bool]


def to_all(_: Way) -> bool:
    return True


@dataclass(frozen=True)
class Check:
    """A limit: lines that set it at what the way needs, and lines that leave it one short."""

    reason: str
    enough: tuple[str, ...]
    short: tuple[str, ...]
    applies: Applies = to_all
    symbol: str = "XYZ"
    gone: bool = False
    """What refuses has cancelled the account's orders: a replace finds none."""
    empties: bool = False
    """What refuses has cancelled everybody's orders: a market order finds no price (step 6)."""
    caps: bool = False
    """An order whose quantity the engine chooses stays within it (exchange rule S21, sizing)."""


def rests(way: Way) -> bool:
    return way.rests


def has_price(way: Way) -> bool:
    return not way.has_no_price


def is_new(way: Way) -> bool:
    return not way.is_replace


def is_replace(way: Way) -> bool:
    return way.is_replace


HELD = (
    *("> mark symbol=ABC price=10.00", "2> sell 10 @ 10.00 #21 symbol=ABC"),
    "1> buy 10 @ 10.00 #22 symbol=ABC ioc",
)
"""Account 1 holds 10 ABC at 10.00, at whose mark a loss can be made."""


def after_loss(limit: str, price: str) -> tuple[str, ...]:
    return (*HELD, f"> limits account=1 {limit}", f"> mark symbol=ABC price={price}", "> time now=1")


CHECKS = {
    "max_quantity": Check(
        "max_quantity", ("> limits symbol=XYZ max_quantity=10",), ("> limits symbol=XYZ max_quantity=9",),
        lambda way: way.last != WAYS["price up"].last,
    ),
    "max_notional": Check(
        "max_notional",
        ("> limits symbol=XYZ max_notional=100",), ("> limits symbol=XYZ max_notional=99.99",),
    ),
    "band": Check(
        "price_band",
        ("> limits symbol=XYZ band_high=10.00",), ("> limits symbol=XYZ band_high=9.99",),
        lambda way: has_price(way) and way.last != WAYS["quantity up"].last,
    ),
    "collar": Check(
        "price_collar", ("> mark symbol=COL price=9.91",), ("> mark symbol=COL price=9.90",),
        lambda way: has_price(way) and way.last != WAYS["quantity up"].last, symbol="COL",
    ),
    "open orders of the account": Check(
        "max_open_orders",
        ("> limits account=1 max_open_orders=1",), ("> limits account=1 max_open_orders=0",), rests,
    ),
    "open orders of the instrument": Check(
        "max_open_orders",
        ("> limits symbol=XYZ max_open_orders={one_more}",),
        ("> limits symbol=XYZ max_open_orders={others}",),
        rests,
    ),
    "max_position": Check(
        "max_position", ("> limits account=1 max_position=10",), ("> limits account=1 max_position=9",),
        lambda way: way.last != WAYS["price up"].last, caps=True,
    ),
    "max_gross_exposure": Check(
        "max_gross_exposure",
        ("> limits account=1 max_gross_exposure=100",), ("> limits account=1 max_gross_exposure=99.99",),
    ),
    "max_concentration_ppm": Check(
        "max_concentration",
        ("1> buy 10 @ 10.00 #1 symbol=ABC", "> limits account=1 max_concentration_ppm=500000"),
        ("1> buy 10 @ 10.00 #1 symbol=ABC", "> limits account=1 max_concentration_ppm=499999"),
    ),
    "order_rate": Check(
        "rate_limit",
        ("> limits account=1 order_rate=1 order_burst=2", "1> buy 1 @ 1.00 #1 symbol=ABC"),
        ("> limits account=1 order_rate=1 order_burst=1", "1> buy 1 @ 1.00 #1 symbol=ABC"),
        is_new,
    ),
    "order_rate of changes": Check(
        "rate_limit",
        (
            *("> limits account=1 order_rate=1 order_burst=2", "1> buy 1 @ 1.00 #1 symbol=ABC"),
            "1> replace #1 price=1.01",
        ),
        (
            *("1> buy 1 @ 1.00 #1 symbol=ABC", "> limits account=1 order_rate=1 order_burst=1"),
            "1> replace #1 price=1.01",
        ),
        is_replace,
    ),
    "modify_rate": Check(
        "rate_limit",
        (
            *("1> buy 1 @ 1.00 #1 symbol=ABC", "> limits account=1 modify_rate=1 modify_burst=2"),
            "1> replace #1 price=1.01",
        ),
        (
            *("1> buy 1 @ 1.00 #1 symbol=ABC", "> limits account=1 modify_rate=1 modify_burst=1"),
            "1> replace #1 price=1.01",
        ),
        is_replace,
    ),
    "max_order_trade_ratio": Check(
        "order_trade_ratio",
        ("> limits account=1 max_order_trade_ratio=2", "1> buy 1 @ 1.00 #1 symbol=ABC"),
        ("> limits account=1 max_order_trade_ratio=1", "1> buy 1 @ 1.00 #1 symbol=ABC"),
    ),
    "max_daily_loss": Check(
        "blocked", after_loss("max_daily_loss=10", "9.01"), after_loss("max_daily_loss=10", "9.00"), gone=True
    ),
    "max_drawdown": Check(
        "blocked", after_loss("max_drawdown=10", "9.01"), after_loss("max_drawdown=10", "9.00"), gone=True
    ),
    "max_drawdown_bps": Check(
        "blocked", after_loss("max_drawdown_bps=10", "9.01"), after_loss("max_drawdown_bps=10", "9.00"),
        gone=True,
    ),
    "max_fill_rate": Check(
        "blocked",
        ("> limits account=1 max_fill_rate=11", *HELD), ("> limits account=1 max_fill_rate=10", *HELD),
        gone=True,
    ),
    "kill of the account": Check("blocked", ("> kill account=3",), ("> kill account=1",), gone=True),
    "kill of the instrument": Check(
        "blocked", ("> kill symbol=ABC",), ("> kill symbol=XYZ",), gone=True, empties=True
    ),
    "kill of the venue": Check(
        "blocked", ("> kill account=3",), ("> kill venue=true",), gone=True, empties=True
    ),
    "buying power": Check(
        "insufficient_funds",
        ("> withdraw account=1 currency=USD amount=9900 id=w",),
        ("> withdraw account=1 currency=USD amount=9900.01 id=w",),
        caps=True,
    ),
}  # fmt: skip


def outcome(make_side: Callable[[], Side], way: Way, check: Check, setting: tuple[str, ...]) -> str:
    """Take the way with the check set so; return the first thing that is said of its last line."""
    side = prepared(make_side)
    for line in (*way.before, *setting):
        text = line.format(symbol=check.symbol, others=way.others, one_more=way.others + 1)
        assert not any("rejected" in each for each in answers(side, text)), text
    symbol = "" if way.is_replace else f" symbol={check.symbol}"
    return answers(side, way.last + symbol)[0]


def expected_short(way: Way, check: Check) -> str:
    """Say what a way is answered where the limit is one short of it."""
    if not check.applies(way):
        return taken(way)
    if check.gone and way.is_replace:
        return "rejected unknown_order"
    if check.empties and way.has_no_price:
        return "rejected no_liquidity"
    if check.caps and way.is_sized:
        return "accepted #9 9"
    return f"rejected {check.reason}"


def taken(way: Way) -> str:
    """Say what a way is answered where nothing is against it."""
    if way.is_replace:
        return "replaced #9 10 @ 10"
    return "accepted #9 10" if way.is_sized else "accepted #9"


@both_sides
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_way_in_by_check(way: Way, check: Check, make_side: Callable[[], Side]) -> None:
    at, short = (outcome(make_side, way, check, setting) for setting in (check.enough, check.short))

    assert at.startswith(taken(way))
    assert short.startswith(expected_short(way, check))
