"""Every way to a fill, by every limit that latches: at the value, and one unit above it (exchange rule S21).

Each way ends in account 1 having bought 10 XYZ at 10.00, where the mark is 9.00: a loss of 10.
Lines are those of the scenarios (script.py).
"""

from collections.abc import Callable

import pytest

from tests.scenarios.test_scenarios import Side, answers, both_sides, prepared

BOUGHT = "1> buy 10 @ 10.00 #9"
SOLD = "2> sell 10 @ 10.00 #20"

WAYS = {
    "limit": (SOLD, BOUGHT),
    "market": (SOLD, "1> buy 10 market #9 price=10.00"),
    "immediate or cancel": (SOLD, BOUGHT + " ioc"),
    "fill or kill": (SOLD, BOUGHT + " fok"),
    "sized": (SOLD, "1> buy fixed_notional:amount=100 @ 10.00 #9"),
    "replace": ("1> buy 10 @ 9.99 #9", SOLD, "1> replace #9 price=10.00"),
    "maker": (BOUGHT, SOLD),
    "maker of a market order": (BOUGHT, "2> sell 10 market #20"),
    "maker behind a cheaper one": ("3> buy 1 @ 10.01 #30", BOUGHT, "2> sell 11 @ 10.00 #20"),
    "held over a halt": (
        BOUGHT, "> phase symbol=XYZ phase=halted", "> phase symbol=XYZ phase=continuous", SOLD,
    ),
    "held over the end of a session": (BOUGHT, "> session_end", SOLD),
    "after a self trade is prevented": ("1> sell 1 @ 10.00 #8", SOLD, BOUGHT + " stp=cancel_oldest"),
    "in two fills of one command": (
        "2> sell 4 @ 10.00 #20", "3> sell 6 @ 10.00 #30", BOUGHT,
    ),
}  # fmt: skip

LIMITS = {
    "max_daily_loss": ("10", "10.01", "10"),
    "max_drawdown": ("10", "10.01", "10"),
    "max_drawdown_bps": ("10", "11", "10"),
    "max_fill_rate": ("10", "11", "10"),
}
"""Of each limit: the value that the way reaches, the next one, and how the measured amount is written."""


def said_of_the_fill(
    make_side: Callable[[], Side], way: tuple[str, ...], limit: str, value: str
) -> list[str]:
    """Return what is said of the limit where the way's last line has filled the order, and behind it."""
    side = prepared(make_side)
    for line in ("> mark symbol=XYZ price=9.00", f"> limits account=1 {limit}={value}", *way[:-1]):
        assert not any("rejected" in each or "latched" in each for each in answers(side, line)), line
    said = answers(side, way[-1])
    assert any("trade" in each for each in said)
    return [each for each in said if "latched" in each] + answers(side, "1> buy 1 @ 1.00 #40 symbol=ABC")


@both_sides
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_way_to_a_fill_by_limit(way: tuple[str, ...], limit: str, make_side: Callable[[], Side]) -> None:
    reached, above, measured = LIMITS[limit]

    assert said_of_the_fill(make_side, way, limit, reached) == [
        f"latched 1 {limit} cancel_and_block {measured} of {reached}",
        "rejected blocked",
    ]
    assert said_of_the_fill(make_side, way, limit, above) == [
        f"latched 1 {limit} warn {measured} of {above}",
        "accepted #40",
    ]
