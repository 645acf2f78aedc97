"""Cards seen elsewhere, in the kernels: they count once and push out none of ours, store or no store."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from engine.payments.codes import Code
from engine.payments.fleet_records import STORE_SILENCE_NS, OnStoreDown, Sighted
from engine.payments.kernels.digest import digest
from engine.payments.kernels.rows import BUCKETS, DISTINCT_MAX
from engine.payments.records import Clock, Field, Op
from engine.payments.view.sightings import SightingsView
from tests.engine.payments.building import (
    DAY_MS,
    HOUR_MS,
    SMALL,
    T0,
    Engine,
    command,
    funded,
    merchant,
    pay,
    settings,
)
from tests.engine.payments.fleet_commands import join, sightings, store
from tests.engine.payments.invariants import assert_whole

NS = 1_000_000
DAY_BUCKET, HOUR_BUCKET = T0 // (DAY_MS // BUCKETS), T0 // (HOUR_MS // BUCKETS)
GIVEN = {Sighted.DEVICE: "device", Sighted.IP: "ip", Sighted.EMAIL: "email"}
BUCKET = {Sighted.DEVICE: DAY_BUCKET, Sighted.IP: HOUR_BUCKET, Sighted.EMAIL: DAY_BUCKET}
BUCKET_MS = {each: HOUR_MS // BUCKETS if each == Sighted.IP else DAY_MS // BUCKETS for each in Sighted}
FIELD = {Sighted.DEVICE: Field.DEVICE, Sighted.IP: Field.IP, Sighted.EMAIL: Field.EMAIL}
LIMIT = 3
LIMITS: dict[str, Any] = {
    **dict.fromkeys(("device_cards_24h", "ip_cards_1h", "email_cards_24h"), LIMIT),
    **{"card_1m": -1, "card_1h": -1, "double_charge_ms": -1, "card_declines_1h": -1},
}


def engine_of(*fleet: Any, **limits: int) -> Engine:
    """Return an engine at T0, whose rules are those about sightings alone."""
    made = Engine(
        SMALL, settings(Clock.ENGINE, **{**LIMITS, **limits}), merchant(), *funded(balances={978: 10**12})
    )
    made.eng_ts = T0 * NS
    made.tell(*fleet, command(Op.TICK))
    return made


class Asker:
    """Asks an engine for payments, each under a number of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.number = 0

    def ask(self, kind: Sighted, seen: int, card: int) -> Any:
        """Return the event of a payment."""
        self.number += 1
        return self.engine.one(pay(self.number, card=card, amount=1, **{GIVEN[kind]: seen}))

    def code(self, kind: Sighted, seen: int, card: int) -> str:
        """Return its code."""
        return Code(int(self.ask(kind, seen, card)["code"])).name


@pytest.mark.parametrize("kind", list(Sighted))
def test_cards_that_others_have_seen_count_and_one_that_both_have_seen_counts_once(kind: Sighted) -> None:
    engine = engine_of(join(2), store())
    asker, bucket = Asker(engine), BUCKET[kind]
    assert asker.code(kind, 7, 1) == "OK"

    engine.tell(sightings(kind, (bucket, 7, 1), (bucket, 7, 2), (bucket - 1, 7, 3), (bucket, 8, 9)))

    assert [asker.code(kind, 7, card) for card in (1, 2, 3)] == ["OK"] * LIMIT
    refused = asker.ask(kind, 7, 4)
    assert (refused["code"], refused["field"]) == (Code.VELOCITY, FIELD[kind])
    assert asker.code(kind, 8, 1) == "OK"
    assert engine.s["fleet"][0]["merged"] == 3
    assert_whole(engine.s)


@pytest.mark.parametrize("kind", list(Sighted))
def test_what_others_have_seen_leaves_with_its_window(kind: Sighted) -> None:
    engine = engine_of(join(2), store())
    asker, bucket = Asker(engine), BUCKET[kind]
    engine.tell(sightings(kind, *((bucket - 11, 7, card) for card in (1, 2, 3)), (bucket - 12, 8, 1)))
    assert asker.code(kind, 7, 9) == "VELOCITY"

    engine.eng_ts += BUCKET_MS[kind] * NS

    assert asker.code(kind, 7, 9) == "OK"
    table = {Sighted.DEVICE: "device_table", Sighted.IP: "ip_table", Sighted.EMAIL: "email_table"}[kind]
    assert engine.s[table]["used"] == 1


def test_a_row_has_as_many_cards_as_were_heard_of_up_to_its_room() -> None:
    engine = engine_of(join(2), store())
    for heard in range(1, DISTINCT_MAX + 9):
        engine.tell(sightings(Sighted.IP, (HOUR_BUCKET, 7, heard)))

        row = engine.s["ips"][0]
        kept = min(heard, DISTINCT_MAX)
        assert row["seen"]["card"][: row["count"]].tolist() == list(range(1, kept + 1))
    assert_whole(engine.s)


def test_a_clock_that_is_ahead_makes_no_sighting_last_longer() -> None:
    engine = engine_of(join(2), store())
    engine.tell(sightings(Sighted.IP, *((HOUR_BUCKET + 500, 7, card) for card in (1, 2, 3))))

    engine.eng_ts += HOUR_MS * NS

    assert Asker(engine).code(Sighted.IP, 7, 9) == "OK"


@pytest.mark.parametrize(
    ("policy", "code"), [("LOCAL", "VELOCITY"), ("DECLINE", "STORE_DOWN"), ("ALLOW", "OK")]
)
@pytest.mark.parametrize("kind", list(Sighted))
def test_a_store_that_is_down_decides_as_is_said_for_each_limit(
    kind: Sighted, policy: str, code: str
) -> None:
    policies = [OnStoreDown.LOCAL] * len(Sighted)
    policies[kind - 1] = OnStoreDown[policy]
    engine = engine_of(join(2, OnStoreDown.LOCAL, tuple(policies)), store())
    asker = Asker(engine)
    engine.tell(sightings(kind, *((BUCKET[kind], 7, card) for card in range(1, 1 + LIMIT))))
    assert asker.code(kind, 7, 9) == "VELOCITY"

    engine.eng_ts += STORE_SILENCE_NS

    assert asker.code(kind, 7, 10) == code
    first = asker.ask(kind, 11, 10)
    assert Code(int(first["code"])).name == ("STORE_DOWN" if policy == "DECLINE" else "OK")
    assert first["field"] == (FIELD[kind] if policy == "DECLINE" else 0)
    other = next(each for each in Sighted if each != kind)
    assert asker.code(other, 12, 1) == "OK"
    engine.tell(store())
    assert asker.code(kind, 13, 10) == "OK"


def test_a_limit_that_is_off_and_what_was_not_given_need_no_store() -> None:
    engine = engine_of(join(2, OnStoreDown.LOCAL, (OnStoreDown.DECLINE,) * 3), device_cards_24h=-1)
    asker = Asker(engine)

    assert asker.code(Sighted.DEVICE, 7, 1) == "OK"
    assert engine.one(pay(900, card=5, amount=1))["code"] == Code.OK


def test_guests_take_free_room_and_give_way_to_ours() -> None:
    engine = engine_of(join(2), store())
    asker = Asker(engine)
    for seen in range(1, 41):
        asker.ask(Sighted.DEVICE, seen, 1)
    for seen in range(101, 201):  # 24 rows are free
        engine.tell(sightings(Sighted.DEVICE, (DAY_BUCKET, seen, 1)))
    assert engine.s["fleet"][0]["merged"] == 100
    assert_whole(engine.s)

    for seen in range(41, 65):
        asker.ask(Sighted.DEVICE, seen, 1)

    assert engine.s["device_table"]["early"] == 0
    assert engine.s["device_guests"]["oldest"] == 0
    ours = {int(row["key"][0]) for row in engine.s["devices"]}
    assert ours == set(range(1, 65))
    assert_whole(engine.s)


def test_a_guest_never_takes_a_row_of_ours_that_is_in_its_window() -> None:
    engine = engine_of(join(2), store())
    asker = Asker(engine)
    for seen in range(1, 65):
        asker.ask(Sighted.DEVICE, seen, 1)

    engine.tell(sightings(Sighted.DEVICE, (DAY_BUCKET, 900, 1), (DAY_BUCKET, 3, 2)))

    assert (engine.s["fleet"][0]["merged"], engine.s["fleet"][0]["unmerged"]) == (1, 1)
    engine.eng_ts += DAY_MS * NS
    asker.ask(Sighted.DEVICE, 5, 1)
    engine.tell(sightings(Sighted.DEVICE, (DAY_BUCKET + BUCKETS, 901, 1)))
    assert engine.s["fleet"][0]["merged"] == 2
    assert 1 not in {int(row["key"][0]) for row in engine.s["devices"]}
    assert_whole(engine.s)


def test_without_a_fleet_nothing_is_noted() -> None:
    engine = engine_of()
    Asker(engine).ask(Sighted.DEVICE, 7, 1)

    assert engine.s["sighted_count"] == 0
    assert not engine.s["sighted"].view(np.int64).any()


def test_each_sighting_is_noted_once_a_bucket_and_one_that_others_have_told_is_not() -> None:
    engine = engine_of(join(2), store())
    asker, view = Asker(engine), SightingsView(engine.replica.state)
    engine.tell(sightings(Sighted.IP, (HOUR_BUCKET, 7, 2)))
    for card in (1, 1, 2):
        asker.ask(Sighted.IP, 7, card)
    engine.eng_ts += BUCKET_MS[Sighted.IP] * NS
    asker.ask(Sighted.IP, 7, 2)

    assert view.noted_count == 2
    noted = view.noted(0, 2)
    assert noted is not None
    assert noted[Sighted.IP].tolist() == [[HOUR_BUCKET, 7, 1, 1], [HOUR_BUCKET + 1, 7, 1, 2]]
    assert not len(noted[Sighted.DEVICE])


Heard = tuple[int, int, int]
HEARD = st.lists(st.tuples(st.integers(0, 13), st.integers(1, 3), st.integers(1, 45)), max_size=60)


@hypothesis_settings(deadline=None, max_examples=60)
@given(HEARD, HEARD, st.randoms())
def test_counts_are_those_of_a_set_of_cards_and_times_whatever_comes_in_which_order(
    own: list[Heard], heard: list[Heard], random: Any
) -> None:
    engine = engine_of(join(2), store(), ip_cards_1h=31)
    asker = Asker(engine)
    seen: defaultdict[int, dict[int, int]] = defaultdict(dict)
    told: list[Heard] = []
    for bucket in range(14):
        mine = [each for each in own if each[0] == bucket]
        theirs = [each for each in heard if each[0] == bucket]
        told += theirs
        again = random.sample(told, min(len(told), 9))
        steps: list[tuple[str, Heard]] = [("own", each) for each in mine] + [
            ("heard", each) for each in theirs + again
        ]
        random.shuffle(steps)
        for whose, (at, address, card) in steps:
            if whose == "own":
                others = {each for each, when in seen[address].items() if bucket - when < BUCKETS} - {card}
                is_over = 1 + len(others) > 31
                assert (asker.code(Sighted.IP, address, card) == "VELOCITY") == is_over
            else:
                engine.tell(sightings(Sighted.IP, (HOUR_BUCKET + at, address, card)))
            if bucket - at < BUCKETS:
                seen[address][card] = max(at, seen[address].get(card, 0))
        engine.eng_ts += BUCKET_MS[Sighted.IP] * NS
    assert_whole(engine.s)


def test_the_same_journal_with_sightings_gives_the_same_state() -> None:
    def played() -> Engine:
        engine = engine_of(join(3), store())
        asker, random = Asker(engine), np.random.default_rng(11)
        for _ in range(120):
            engine.eng_ts += int(random.integers(1, 400_000)) * NS
            kind = Sighted(int(random.integers(1, 4)))
            now = engine.eng_ts // NS // BUCKET_MS[kind]
            rows = [
                (int(now - random.integers(0, 13)), int(random.integers(1, 90)), int(random.integers(1, 9)))
                for _ in range(7)
            ]
            engine.tell(sightings(kind, *rows))
            asker.ask(kind, int(random.integers(1, 90)), int(random.integers(1, 9)))
        assert_whole(engine.s)
        return engine

    one, other = played(), played()

    assert digest(one.replica.state) == digest(other.replica.state)
    assert one.s["event_hash"] == other.s["event_hash"]
    assert one.s["fleet"][0]["merged"] > 100
