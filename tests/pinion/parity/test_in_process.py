"""A capture that an engine in this process decides."""

import json
from collections.abc import Iterable, Iterator
from multiprocessing import active_children
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways.payments.door.routes import PaymentAsk
from gateways.payments.hashing import Hasher
from perf.traffic.settings import DEFAULTS
from pinion.capture.records import CaptureError
from pinion.cli.payments.move_over.services import engine_of
from pinion.parity.answers import NOT_COMPARED
from pinion.parity.deciding.in_process import InProcess
from pinion.parity.deciding.second import BATCH
from pinion.parity.pairs import Pair, pair_of
from pinion.parity.steps import Compared, Step
from tests.payments.captures import Captured
from tests.payments.engine_side import CAPACITIES, settings_command
from tests.pinion.parity.pairs import PAYMENTS, SET_UP, paid, pair, pay

KEY = bytes(32)
COUNT = 250


def engine(set_up: bytes = SET_UP, *, stamps: bool = True) -> InProcess:
    """Return an engine with the rules of the traffic."""
    made = InProcess(settings_command(DEFAULTS).reshape(1), CAPACITIES, "b", Hasher(KEY), stamps=stamps)
    made.set_up(set_up)
    return made


def steps(played: InProcess, pairs: Iterable[Pair]) -> Step:
    """Return what pairs came to, in one."""
    found = list(played.replay(pairs))
    different = [each for step in found for each in step.different]
    return Step(sum(step.equal for step in found), sum(step.unanswered for step in found), different)


def names(compared: Compared) -> list[str]:
    return [each.field for each in compared.fields]


@pytest.fixture(scope="module")
def captured() -> tuple[bytes, list[Pair]]:
    """The set-up and the pairs of a plain service."""
    made = Captured(0)
    pairs = [pair_of(record) for record in made.records(COUNT)]
    return made.set_up.encode(), [each for each in pairs if isinstance(each, Pair)]


def test_a_capture_of_the_plain_service_is_answered_alike(captured: tuple[bytes, list[Pair]]) -> None:
    set_up, pairs = captured

    found = steps(engine(set_up), pairs)

    assert (found.equal, found.different) == (len(pairs), [])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_one_answer_says_otherwise_is_found_at_its_record_and_nowhere_else(
    captured: tuple[bytes, list[Pair]], data: st.DataObject
) -> None:
    set_up, pairs = captured
    at = data.draw(st.integers(0, len(pairs) - 1).filter(lambda at: pairs[at].route.ask != PaymentAsk.SET_UP))
    reply = json.loads(pairs[at].reply or b"")
    name = data.draw(st.sampled_from(sorted(reply.keys() - NOT_COMPARED - {"payment"})))
    reply[name] = data.draw(other_than(reply[name]))
    changed = [*pairs]
    changed[at] = pairs[at]._replace(reply=json.dumps(reply).encode())

    found = steps(engine(set_up), changed)

    assert [(each.pair.n, names(each)) for each in found.different] == [(pairs[at].n, [name])]


def other_than(value: object) -> st.SearchStrategy[Any]:
    """Return values of JSON that are not this one."""
    values = [
        None,
        True,
        False,
        0,
        1,
        -1,
        2**63,
        1.5,
        "",
        "OK",
        "05",
        "card",
        "cvv",
        [],
        ["cvv"],
        ["cvv", "cvv"],
    ]
    return st.sampled_from([each for each in values if json.dumps(each) != json.dumps(value)])


def test_a_request_without_a_moment_gets_the_one_of_its_arrival() -> None:
    old = {**pay(), "card": {"pan": "4111111111111111", "expiry": "2311"}}
    first_of_december = 1_701_388_800_000
    expired = paid(
        "x-1", decision="DECLINE", code="EXPIRED_CARD", iso="54", field="card.expiry", rule="card_expiry",
        retry="FIX", approved_amount=0, state="declined", matched=["card_expiry"], approval=None,
    )  # fmt: skip
    early = pair(1, old, paid("x-0"), at_ms=first_of_december - 1)
    late = pair(2, {**old, "request_id": "r2"}, {**expired, "request_id": "r2"}, at_ms=first_of_december)

    assert steps(engine(), [early, late]).different == []
    assert [each.pair.n for each in steps(engine(stamps=False), [early, late]).different] == [2]


def test_a_payment_whose_answer_was_lost_is_known_by_the_answer_to_its_repeat() -> None:
    replayed = paid("x-5", replayed=True)
    captured = {**paid("x-5", "c1"), "state": "captured", "captured": 1000, "refunded": 0, "held": 0}
    pairs = [
        pair(1, pay(), None),
        pair(2, pay(), replayed),
        pair(3, {"request_id": "c1"}, captured, path=f"{PAYMENTS}/x-5/capture"),
    ]

    found = steps(engine(), pairs)

    assert (found.equal, found.unanswered, found.different) == (2, 1, [])


def test_two_payments_there_are_two_here() -> None:
    other = paid("x-1", "r2", amount=5, approved_amount=5)

    found = steps(engine(), [pair(1, pay("r1"), paid("x-1", "r1")), pair(2, pay("r2", amount=5), other)])

    assert [names(each) for each in found.different] == [["payment"]]


def test_an_operation_on_a_payment_that_nobody_knows_is_not_found_on_either_side() -> None:
    reply = {
        **paid("x-77", "c1"), "decision": "DECLINE", "code": "NOT_FOUND", "iso": "25", "field": "payment",
        "retry": "NEVER", "amount": 0, "approved_amount": None, "currency": None, "state": None,
        "ruleset": None, "cohort": None, "approval": None, "captured": None, "refunded": None, "held": None,
    }  # fmt: skip

    found = steps(engine(), [pair(1, {"request_id": "c1"}, reply, path=f"{PAYMENTS}/x-77/void", status=404)])

    assert (found.equal, found.different) == (1, [])


def test_reads_are_answered_by_the_state_as_it_was_then() -> None:
    shown = {**paid("x-1"), "captured": 0, "refunded": 0, "held": 1000}
    account = {
        "account": 1,
        "status": "open",
        "balances": {"EUR": {"total": 1_000_000, "held": 1000, "available": 999_000}},
    }
    pairs = [
        pair(1, pay(), paid("x-1")),
        pair(2, b"", shown, path=f"{PAYMENTS}/x-1", method="GET"),
        pair(3, b"", account, path=f"{PAYMENTS}/accounts/1", method="GET"),
        pair(4, b"", {"title": "none"}, path=f"{PAYMENTS}/accounts/9", method="GET", status=404),
        pair(5, {"request_id": "v"}, {**shown, "request_id": "v", "state": "voided", "held": 0},
             path=f"{PAYMENTS}/x-1/void"),
    ]  # fmt: skip

    found = steps(engine(), pairs)

    assert (found.equal, found.different) == (5, [])


def test_set_up_within_a_capture_is_played_and_compared_by_line() -> None:
    line = b'{"op":"deposit","account":1,"currency":"EUR","amount":-5000000,"id":"d"}'
    path = f"{PAYMENTS}/admin"
    pairs = [
        pair(1, line, {"lines": 1, "results": [{"code": "FUNDS", "replayed": False}]}, path=path),
        pair(2, line, {"lines": 1, "results": [{"code": "OK", "replayed": False}]}, path=path),
        pair(3, b'{"op":"nothing"}', {"code": "FORMAT"}, path=path, status=422),
    ]

    found = steps(engine(), pairs)

    assert [(each.pair.n, names(each)) for each in found.different] == [(2, ["lines"])]


def test_the_built_in_engine_decides_by_the_rules_of_a_configuration() -> None:
    built_in = engine_of(None, KEY, stamps=True)
    built_in.set_up(SET_UP)
    many = [pair(n, pay(f"r{n}", amount=n), paid(f"x-{n}", f"r{n}", amount=n, approved_amount=n))
            for n in range(1, 5)]  # fmt: skip

    found = steps(built_in, many)

    assert [(each.pair.n, each.new.code) for each in found.different] == [(4, "VELOCITY")]


def test_cells_are_counted_by_what_was_decided() -> None:
    (step,) = engine().replay([pair(1, pay(), paid("x-1")), pair(2, pay(), paid("x-1", replayed=True))])

    assert dict(step.cells) == {(None, "OK", "pos", 2): 1}


def test_a_second_process_that_encodes_changes_nothing(captured: tuple[bytes, list[Pair]]) -> None:
    set_up, pairs = captured
    others = [pair(n, pay(f"n{n}", merchant="else", account=77), None, at_ms=0) for n in range(2 * BATCH)]
    many = [pairs[0], *others, *pairs[1:]]

    alone = steps(engine(set_up), many)
    played = engine(set_up)
    by_two = list(played.replay_by_two(many, lambda: iter(many)))

    assert sum(step.equal for step in by_two) == alone.equal == len(pairs)
    assert sum(step.unanswered for step in by_two) == alone.unanswered == 2 * BATCH
    assert [each.pair.n for step in by_two for each in step.different] == []


def test_nothing_is_left_of_a_second_process_whose_reading_fails() -> None:
    def broken() -> Iterator[Pair]:
        yield from (pair(n, pay(f"r{n}"), None) for n in range(BATCH + 1))
        raise CaptureError("a line is damaged")

    with pytest.raises(CaptureError, match="a line is damaged"):
        list(engine().replay_by_two(broken(), broken))

    assert active_children() == []
