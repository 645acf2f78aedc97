"""Shares of daily limits in the kernels: what an instance may take, when shares move, what a day forgets."""

from typing import Any

import numpy as np
import pytest

from engine.payments.codes import Code
from engine.payments.fleet_records import (
    STORE_SILENCE_NS,
    OnStoreDown,
    ShareMove,
)
from engine.payments.kernels.digest import digest
from engine.payments.records import Clock, Decision, Op, Rule
from engine.payments.view.shares import SharesView
from tests.engine.payments.building import (
    DAY_MS,
    EUR,
    JPY,
    SMALL,
    T0,
    Engine,
    command,
    funded,
    merchant,
    merchant_limits,
    pay,
    settings,
)
from tests.engine.payments.fleet_commands import TODAY, join, shares, store

LIMIT = 10_000
NS = 1_000_000


def engine_of(*fleet: Any, daily: int = LIMIT) -> Engine:
    """Return an engine at the beginning of a day, of one merchant with a daily limit in two currencies."""
    limits = merchant_limits(0, [(EUR, -1, -1, daily, -1, -1), (JPY, -1, -1, daily, -1, -1)])
    made = Engine(
        SMALL, settings(Clock.ENGINE), limits, merchant(begins=False), *funded(balances={EUR: 10**9})
    )
    made.eng_ts = T0 * NS
    made.tell(*fleet, command(Op.TICK))
    return made


def told(engine: Engine, number: int, amount: int) -> str:
    """Return the code of a payment with this number."""
    return Code(int(engine.one(pay(number, amount=amount))["code"])).name


def share(engine: Engine) -> int:
    """Return how much may still be taken in EUR, by the view."""
    table = SharesView(engine.replica.state).table()
    return int(table.left[table.at.tolist().index(0)])


def test_without_a_fleet_the_whole_limit_is_there() -> None:
    engine = engine_of()

    assert [told(engine, 1, LIMIT), told(engine, 2, 1)] == ["OK", "MERCHANT_DAILY_LIMIT"]
    assert not engine.s["rows"]["short_at"].any()


@pytest.mark.parametrize(("instances", "part"), [(1, LIMIT), (2, LIMIT // 2), (3, LIMIT // 3), (64, 156)])
def test_each_instance_owns_its_part_of_every_day_unasked(instances: int, part: int) -> None:
    engine = engine_of(join(instances))

    assert [told(engine, 1, part), told(engine, 2, 1)] == ["OK", "MERCHANT_DAILY_LIMIT"]
    engine.eng_ts += DAY_MS * NS
    assert [told(engine, 3, part), told(engine, 4, 1)] == ["OK", "MERCHANT_DAILY_LIMIT"]


def test_a_refusal_for_a_share_names_rule_field_and_when_it_was_short() -> None:
    engine = engine_of(join(2))

    event = engine.one(pay(1, amount=LIMIT))

    assert (event["rule"], event["decision"]) == (Rule.MERCHANT_DAILY, Decision.DECLINE)
    assert engine.s["rows"][0]["short_at"] == T0


def test_what_was_given_is_no_more_there_and_what_was_taken_is() -> None:
    engine = engine_of(join(2))

    engine.tell(shares(ShareMove.GIVE, (0, EUR, 3_000, 0)))
    assert share(engine) == 2_000
    engine.tell(shares(ShareMove.HAVE, (0, EUR, 3_000, 4_500)))
    assert share(engine) == 6_500
    assert [told(engine, 1, 6_500), told(engine, 2, 1)] == ["OK", "MERCHANT_DAILY_LIMIT"]
    assert engine.s["fleet"][0]["moves"] == 2


def test_no_more_is_given_than_is_left() -> None:
    engine = engine_of(join(2))
    told(engine, 1, 4_000)

    engine.tell(shares(ShareMove.GIVE, (0, EUR, 3_000, 0)))

    assert engine.s["rows"][0]["given"] == 1_000
    assert told(engine, 2, 1) == "MERCHANT_DAILY_LIMIT"
    engine.tell(shares(ShareMove.GIVE, (0, EUR, 9_000, 0)))
    assert engine.s["rows"][0]["given"] == 1_000


@pytest.mark.parametrize("move", list(ShareMove))
def test_the_same_move_again_changes_nothing(move: ShareMove) -> None:
    engine = engine_of(join(2))
    moving = shares(move, (0, EUR, 2_000, 700), (0, JPY, 10, 20))
    engine.tell(moving)
    before = engine.s["rows"].copy()

    engine.tell(moving, shares(move, (0, EUR, 500, 100)))

    assert (engine.s["rows"] == before).all()


def test_moves_of_another_day_or_of_what_is_not_known_change_nothing() -> None:
    engine = engine_of(join(2))
    before = engine.s["rows"].copy()

    engine.tell(
        shares(ShareMove.GIVE, (0, EUR, 2_000, 0), day=TODAY - 1),
        shares(ShareMove.HAVE, (0, EUR, 2_000, 1), day=TODAY + 1),
        shares(ShareMove.HAVE, (5, EUR, 1, 1), (0, 999, 1, 1)),
    )

    assert (engine.s["rows"] == before).all()


def test_a_new_day_begins_with_the_part_alone() -> None:
    engine = engine_of(join(2))
    engine.tell(shares(ShareMove.HAVE, (0, EUR, 1_000, 3_000)))

    engine.eng_ts += DAY_MS * NS
    engine.tell(command(Op.TICK))

    assert share(engine) == LIMIT // 2
    engine.tell(shares(ShareMove.GIVE, (0, EUR, 100, 0), day=TODAY + 1))
    assert (engine.s["rows"][0]["given"], engine.s["rows"][0]["taken"]) == (100, 0)


def test_a_share_is_never_more_than_the_limit_whatever_was_taken() -> None:
    engine = engine_of(join(2))

    engine.tell(shares(ShareMove.HAVE, (0, EUR, 0, 2**53)))

    assert [told(engine, 1, LIMIT), told(engine, 2, 1)] == ["OK", "MERCHANT_DAILY_LIMIT"]


def test_another_number_of_instances_counts_from_the_next_day() -> None:
    engine = engine_of(join(2))
    engine.tell(join(4))
    assert share(engine) == LIMIT // 2
    engine.tell(join(5))
    assert share(engine) == LIMIT // 2

    engine.eng_ts += DAY_MS * NS
    engine.tell(command(Op.TICK))
    assert share(engine) == LIMIT // 5
    engine.tell(join(0))
    assert share(engine) == LIMIT // 5
    engine.eng_ts += DAY_MS * NS
    engine.tell(command(Op.TICK))
    assert share(engine) == LIMIT


@pytest.mark.parametrize(
    ("policy", "code"),
    [(OnStoreDown.LOCAL, "OK"), (OnStoreDown.DECLINE, "STORE_DOWN"), (OnStoreDown.ALLOW, "OK")],
)
@pytest.mark.parametrize("why", ["never heard of", "said to be down", "silent"])
def test_a_store_that_is_down_decides_as_is_said(policy: OnStoreDown, code: str, why: str) -> None:
    engine = engine_of(join(2, policy))
    if why != "never heard of":
        engine.tell(store())
        assert told(engine, 1, 1) == "OK"
    if why == "said to be down":
        engine.tell(store(is_up=False))
    if why == "silent":
        engine.eng_ts += STORE_SILENCE_NS

    assert told(engine, 2, LIMIT // 2 - 1) == code
    beyond = {"LOCAL": "MERCHANT_DAILY_LIMIT", "DECLINE": "STORE_DOWN", "ALLOW": "OK"}[policy.name]
    assert told(engine, 3, LIMIT) == beyond


def test_a_store_is_up_until_nothing_was_said_of_it_for_five_seconds() -> None:
    engine = engine_of(join(2, OnStoreDown.DECLINE))
    engine.tell(store())
    view = SharesView(engine.replica.state)

    engine.eng_ts += STORE_SILENCE_NS - 1
    assert (told(engine, 1, 1), view.is_store_up) == ("OK", True)
    engine.eng_ts += 1
    assert (told(engine, 2, 1), view.is_store_up) == ("STORE_DOWN", False)


def test_a_merchant_without_a_daily_limit_needs_no_store() -> None:
    engine = engine_of(join(2, OnStoreDown.DECLINE), daily=-1)

    assert told(engine, 1, LIMIT) == "OK"


def test_the_same_journal_with_a_fleet_gives_the_same_state() -> None:
    def played() -> Engine:
        engine = engine_of(join(3), store())
        generator = np.random.default_rng(7)
        for number in range(60):
            engine.eng_ts += int(generator.integers(1, 2_000)) * NS
            move = ShareMove(int(generator.integers(1, 3)))
            amount, given, taken = (int(each) for each in generator.integers(1, (900, 6_000, 6_000)))
            engine.tell(pay(number, amount=amount), shares(move, (0, EUR, given, taken)))
        return engine

    one, other = played(), played()

    assert digest(one.replica.state) == digest(other.replica.state)
    assert one.s["event_hash"] == other.s["event_hash"]
    assert one.s["fleet"][0]["moves"] > 3
