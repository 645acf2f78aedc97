"""The limiters of a door: a table of each, and a naive program that says the same of any sequence."""

import logging
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.payments.records import Role
from gateways.payments.door.keys import KeyOwner
from gateways.payments.door.limiters import COUNTS, MAY_USE_KEPT, NO_LIMITS, NS_PER_S, Limiters
from gateways.payments.door.routes import PaymentAsk

SHOP, BANK = 11, 12
OWNERS = [KeyOwner("shop", None, Role.ACQUIRER, SHOP), KeyOwner("bank", None, Role.RISK, BANK)]
MS = NS_PER_S // 1000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 5 * NS_PER_S

    def __call__(self) -> int:
        return self.now_ns


def limited(clock: Clock | None = None, **bounds: Any) -> Limiters:
    """Return limiters with these sections, which refuse unless they say otherwise."""
    given = {name: {"log_only": False} | section for name, section in bounds.items()}
    return Limiters(OWNERS, {**NO_LIMITS, **given}, clock or Clock())


def told(limiters: Limiters) -> dict[str, int]:
    """Return what is reported."""
    found: dict[str, int] = {}
    limiters.report(lambda name, count: found.update({name: found.get(name, 0) + count}))
    return found


@pytest.mark.parametrize(
    ("per_second", "burst", "at_ms", "passes"),
    [
        (10, 1, [0, 0, 99, 100, 199, 200], "yes no no yes no yes"),
        (10, 3, [0, 0, 0, 0, 100, 100, 500], "yes yes yes no yes no yes"),
        (10, 3, [0, 10_000, 10_000, 10_000, 10_000], "yes yes yes yes no"),
        (1000, 2, [0, 0, 0, 1, 1, 3, 3, 3], "yes yes no yes no yes yes no"),
        (3, 1, [0, 333, 334], "yes no yes"),
        (1, 1, [0, 999, 1000], "yes no yes"),
    ],
)
def test_a_rate_lets_a_burst_through_and_then_so_many_a_second(
    per_second: int, burst: int, at_ms: Sequence[int], passes: str
) -> None:
    clock = Clock()
    began = clock.now_ns
    limiters = limited(clock, rate={"per_second": per_second, "burst": burst})

    found = []
    for at in at_ms:
        clock.now_ns = began + at * MS
        found.append("yes" if limiters.enter(SHOP) else "no")

    assert " ".join(found) == passes


@given(
    per_second=st.integers(1, 50),
    burst=st.integers(1, 8),
    steps=st.lists(st.tuples(st.integers(0, 400 * MS), st.sampled_from([SHOP, BANK])), max_size=60),
)
def test_a_rate_is_that_of_a_bucket_of_tokens_for_each_key(
    per_second: int, burst: int, steps: list[tuple[int, int]]
) -> None:
    clock = Clock()
    limiters = limited(clock, rate={"per_second": per_second, "burst": burst})
    tokens = dict.fromkeys((SHOP, BANK), Fraction(burst))

    for passed_ns, session in steps:
        clock.now_ns += passed_ns
        for each in tokens:
            tokens[each] = min(Fraction(burst), tokens[each] + Fraction(passed_ns * per_second, NS_PER_S))
        may = tokens[session] >= 1
        tokens[session] -= may
        assert limiters.enter(session) == may


@given(
    per_key=st.integers(1, 4),
    max_in_flight=st.integers(5, 9),
    steps=st.lists(
        st.tuples(
            st.sampled_from([SHOP, BANK]), st.sampled_from([PaymentAsk.PAY, PaymentAsk.VOID]), st.booleans()
        ),
        max_size=60,
    ),
)
def test_in_flight_are_never_more_than_the_bounds_say(
    per_key: int, max_in_flight: int, steps: list[tuple[int, PaymentAsk, bool]]
) -> None:
    limiters = limited(concurrency={"per_key": per_key}, shedding={"max_in_flight": max_in_flight})
    in_flight: list[int] = []

    for session, ask, is_answered in steps:
        if is_answered and session in in_flight:
            in_flight.remove(session)
            limiters.leave(session)
            continue
        entered = limiters.enter(session)
        assert entered == (in_flight.count(session) < per_key)
        if not entered:
            continue
        room = max_in_flight - (0 if ask == PaymentAsk.VOID else max_in_flight // 5)
        assert limiters.has_room(ask) == (len(in_flight) < room)
        if len(in_flight) < room:
            in_flight.append(session)
        else:
            limiters.leave(session)


def test_a_fifth_is_kept_for_what_moves_held_money_and_for_acts_about_rules() -> None:
    limiters = limited(shedding={"max_in_flight": 10})
    for _ in range(8):
        assert limiters.enter(SHOP)
        assert limiters.has_room(PaymentAsk.PAY)

    limiters.enter(SHOP)

    kept = {ask for ask in PaymentAsk if limiters.has_room(ask)}
    assert kept == MAY_USE_KEPT
    assert {PaymentAsk.CAPTURE, PaymentAsk.VOID, PaymentAsk.REFUND, PaymentAsk.CANARY} <= kept
    for _ in range(2):
        limiters.enter(BANK)
    assert not any(limiters.has_room(ask) for ask in PaymentAsk)


def test_keys_do_not_take_from_each_other() -> None:
    limiters = limited(rate={"per_second": 1, "burst": 1}, concurrency={"per_key": 1})

    assert [limiters.enter(SHOP), limiters.enter(BANK), limiters.enter(SHOP)] == [True, True, False]


def test_what_only_logs_lets_all_pass_and_counts_what_it_would_refuse(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    limiters = limited(
        clock,
        rate={"per_second": 1, "burst": 2, "log_only": True},
        concurrency={"per_key": 4, "log_only": True},
        shedding={"max_in_flight": 5, "log_only": True},
    )

    assert all(limiters.enter(SHOP) and limiters.has_room(PaymentAsk.PAY) for _ in range(6))

    with caplog.at_level(logging.WARNING):
        assert told(limiters) == {"over_rate": 4, "over_concurrency": 2, "over_load": 2}
    assert caplog.messages == [
        "4 requests of key 'shop' beyond payments.rate were let pass, for log_only is set",
        "2 requests of key 'shop' beyond payments.concurrency were let pass, for log_only is set",
        "2 requests beyond payments.shedding were let pass, for log_only is set",
    ]


def test_what_is_refused_is_reported_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    limiters = limited(clock, rate={"per_second": 1, "burst": 1})
    for _ in range(3):
        limiters.enter(SHOP)

    assert told(limiters) == {"over_rate": 2}
    limiters.enter(SHOP)
    clock.now_ns += NS_PER_S - 1
    assert told(limiters) == {}
    clock.now_ns += 1
    assert told(limiters) == {"over_rate": 1}
    clock.now_ns += NS_PER_S
    assert told(limiters) == {}
    assert caplog.messages[0] == "2 requests of key 'shop' beyond payments.rate were refused"
    assert len(caplog.messages) == 2


def test_without_settings_nothing_is_refused() -> None:
    limiters = limited()

    assert all(limiters.enter(SHOP) and limiters.has_room(PaymentAsk.PAY) for _ in range(10_000))
    assert told(limiters) == {}
    assert set(COUNTS) == {"over_rate", "over_concurrency", "over_load"}
