"""What happens where a table is full: what was idle longest gives way, or the request is refused."""

import pytest

from engine.payments.codes import Code
from engine.payments.kernels.rows import EXPIRED_MAX, OPERATIONS_MAX
from engine.payments.records import MONEY_MAX, CheckResult, Decision, EventKind, Op, State
from tests.engine.payments.building import (
    DAY_MS,
    EUR,
    HOUR_MS,
    JPY,
    MINUTE_MS,
    SMALL,
    T0,
    Engine,
    account,
    account_balances,
    command,
    deposit,
    funded,
    merchant,
    operation,
    pay,
    restored,
    reverse,
    settings,
)
from tests.engine.payments.invariants import assert_whole

PAYMENTS, CARDS, ANSWERS = SMALL.payments, SMALL.cards, SMALL.answers


def begun() -> Engine:
    return Engine(SMALL, settings(), merchant(), *funded())


def test_a_full_table_of_payments_refuses_and_changes_nothing() -> None:
    engine = begun()
    for number in range(PAYMENTS):
        assert engine.one(pay(number, T0))["code"] == Code.OK
    before = engine.application.digest(engine.replica.state)
    event = engine.one(pay(PAYMENTS, T0))
    assert (event["code"], event["decision"], event["payment"], event["state"]) == (
        Code.CAPACITY,
        Decision.DECLINE,
        0,
        0,
    )
    assert engine.s["decided"] == PAYMENTS
    assert engine.one(pay(PAYMENTS - 1, T0))["replayed"] == 1
    after = engine.application.digest(engine.replica.state)
    assert before != after  # seq and the hash of events have moved, and these alone
    assert_whole(engine.s)


def test_what_is_not_given_takes_no_row_of_a_table() -> None:
    engine = begun()

    event = engine.one(pay(1, T0, cvv_result=CheckResult.MISMATCH))

    assert event["code"] == Code.CVV_MISMATCH
    assert engine.s["card_table"]["used"] == engine.s["pair_table"]["used"] == 1
    for table in ("bin_table", "device_table", "ip_table", "email_table"):
        assert engine.s[table]["used"] == 0


def test_a_closed_payment_gives_way_after_a_minute() -> None:
    engine = begun()
    for number in range(PAYMENTS):
        engine.one(pay(number, T0, sale=True))
    assert engine.one(pay(500, T0 + MINUTE_MS - 1))["code"] == Code.CAPACITY
    assert engine.one(pay(501, T0 + MINUTE_MS))["code"] == Code.OK
    first = int(engine.s["seq"]) - PAYMENTS - 1
    assert engine.one(operation(Op.REFUND, first, 1))["code"] == Code.NOT_FOUND
    assert_whole(engine.s)


def test_with_a_history_a_closed_payment_waits_for_its_mark() -> None:
    engine = Engine(SMALL, settings(has_history=True), merchant(), *funded())
    first = int(engine.one(pay(0, T0, sale=True))["seq"])
    for number in range(1, PAYMENTS):
        engine.one(pay(number, T0, sale=True))
    late = T0 + HOUR_MS
    assert engine.one(pay(500, late))["code"] == Code.CAPACITY
    assert engine.one(command(Op.HISTORY, payment=first))["code"] == Code.OK
    assert engine.one(pay(501, late))["code"] == Code.OK
    assert engine.one(pay(502, late))["code"] == Code.CAPACITY
    assert_whole(engine.s)


def test_the_card_that_was_idle_longest_gives_way() -> None:
    engine = begun()
    for number in range(CARDS):
        engine.one(pay(number, T0, card=1 + number))
    engine.one(pay(100, T0 + 1000, card=1, amount=5))
    engine.one(pay(101, T0 + 1000, card=1000))  # card 2 gives way
    assert engine.s["card_table"]["early"] == 1
    assert engine.one(pay(200, T0 + 1000, card=1, amount=7))["code"] == Code.OK
    assert engine.one(pay(201, T0 + 1000, card=1, amount=8))["code"] == Code.VELOCITY
    assert engine.one(pay(300, T0 + 2000, card=2))["code"] == Code.OK
    later = T0 + 2 * HOUR_MS
    engine.one(pay(400, later, card=2000))
    assert engine.s["card_table"]["early"] == 2  # the card that went now had been idle for its whole window
    assert_whole(engine.s)


def test_declines_are_forgotten_before_approvals() -> None:
    engine = begun()
    engine.one(pay(0, T0))
    for number in range(1, ANSWERS):
        engine.one(pay(number, T0, account=99))
    engine.one(pay(ANSWERS, T0))
    assert engine.one(pay(0, T0))["replayed"] == 1
    assert engine.one(pay(1, T0, account=99))["replayed"] == 0
    assert engine.s["approval_table"]["early"] == 2
    assert_whole(engine.s)


def test_an_answer_of_a_day_gives_way_before_a_younger_decline() -> None:
    engine = begun()
    engine.one(pay(0, T0))
    for number in range(1, ANSWERS):
        engine.one(pay(number, T0 + DAY_MS - 1, account=99))
    engine.one(pay(ANSWERS, T0 + DAY_MS))
    assert engine.s["approval_table"]["early"] == 0
    assert engine.one(pay(1, T0 + DAY_MS, account=99))["replayed"] == 1


def test_merchants_accounts_balances_and_lists_are_refused_beyond_their_rows() -> None:
    engine = begun()
    assert [engine.one(merchant(number))["code"] for number in range(1, 9)] == [Code.OK] * 7 + [Code.CAPACITY]
    balances = [(currency, 5000, -1, -1, -1) for currency in (EUR, JPY)]
    for number in (2, 3, 4):
        assert engine.one(account_balances(number, balances))["code"] == Code.OK
        assert engine.one(account(number))["code"] == Code.OK
    assert engine.one(account_balances(5, balances[:1]))["code"] == Code.OK
    assert engine.one(account(5))["code"] == Code.OK
    assert engine.one(deposit(1, 5, currency=JPY))["code"] == Code.OK
    assert engine.one(deposit(2, 5, account=5, currency=JPY))["code"] == Code.CAPACITY
    accounts = [engine.one(account(number, begins=True))["code"] for number in range(6, 10)]
    assert accounts == [Code.OK] * 3 + [Code.CAPACITY]
    cards = [
        command(Op.LIST, kind=1, payment=1, words={0: card, 1: 1}) for card in range(SMALL.list_entries + 1)
    ]
    assert [engine.one(each)["code"] for each in (*cards, cards[0])] == [
        *[Code.OK] * SMALL.list_entries,
        *(Code.CAPACITY, Code.OK),
    ]


def test_a_merchant_is_paid_in_no_more_currencies_than_there_are_rows() -> None:
    engine = Engine(SMALL, settings(), *map(merchant, range(5)), *funded(1, {EUR: 10**9, JPY: 10**9}))
    pairs = [(number, currency) for number in range(5) for currency in (EUR, JPY)]
    paid = [
        engine.one(pay(at, T0, merchant=number, currency=currency))["code"]
        for at, (number, currency) in enumerate(pairs)
    ]
    assert paid == [Code.OK] * SMALL.merchant_currencies + [Code.CAPACITY]
    assert_whole(engine.s)


def test_a_review_is_approved_where_there_is_a_row_to_count_it_in() -> None:
    engine = Engine(SMALL, settings(), *map(merchant, range(5)), *funded(1, {EUR: 10**9, JPY: 10**9}))
    reviews = [int(engine.one(pay(90 + at, T0, merchant=at, score=750))["payment"]) for at in (0, 4)]
    pairs = [(number, currency) for number in range(4) for currency in (EUR, JPY)]
    for at, (number, currency) in enumerate([*pairs, (4, JPY)]):
        assert engine.one(pay(at, T0, merchant=number, currency=currency))["code"] == Code.OK
    assert engine.s["rows_used"] == SMALL.merchant_currencies

    codes = [engine.one(operation(Op.REVIEW, review, 1, kind=1))["code"] for review in reviews]

    assert codes == [Code.OK, Code.CAPACITY]
    assert_whole(engine.s)


@pytest.mark.parametrize("of_merchant", [True, False])
@pytest.mark.parametrize(("left", "code"), [(1000, Code.OK), (999, Code.CAPACITY)])
@pytest.mark.parametrize("days_ago", [0, 2])
def test_a_review_is_approved_where_its_sum_has_room(
    of_merchant: bool, left: int, code: Code, days_ago: int
) -> None:
    engine = begun()
    engine.one(pay(1, T0, amount=1))
    review = int(engine.one(pay(2, T0, amount=1000, score=750))["payment"])
    if of_merchant:
        engine.s["rows"][0]["day_sum"] = MONEY_MAX - left
    else:
        engine.s["balances"][0]["sum_24h"]["total"] = MONEY_MAX - left

    event = engine.one(operation(Op.REVIEW, review, 1, T0 + days_ago * DAY_MS, kind=1))

    assert event["code"] == (code if days_ago == 0 else Code.OK)


def test_rows_of_operations_are_used_again_once_their_payment_has_given_way() -> None:
    engine = begun()
    payments = [int(engine.one(pay(number, T0, sale=True))["payment"]) for number in range(4)]
    refunded, idle = payments[:3], payments[3]
    for at in range(SMALL.operations):
        event = engine.one(operation(Op.REFUND, refunded[at % 3], at, T0, amount=1))
        assert event["code"] == Code.OK
    assert engine.one(operation(Op.REFUND, idle, 500, T0, amount=1))["code"] == Code.CAPACITY
    last = [int(engine.one(pay(number, T0, sale=True))["payment"]) for number in range(4, PAYMENTS)][-1]
    for number in (PAYMENTS, PAYMENTS + 1):  # the idle one gives way, then the one refunded the longest ago
        assert engine.one(pay(number, T0 + MINUTE_MS))["code"] == Code.OK

    rows = SMALL.operations // 3
    codes = [
        engine.one(operation(Op.REFUND, last, 600 + at, T0 + MINUTE_MS, amount=1))["code"]
        for at in range(rows + 1)
    ]

    assert codes == [Code.OK] * rows + [Code.CAPACITY]
    assert_whole(engine.s)


def test_a_payment_remembers_its_operations_up_to_a_number() -> None:
    engine = begun()
    payment = int(engine.one(pay(1, T0))["payment"])
    for number in range(OPERATIONS_MAX):
        assert engine.one(operation(Op.CAPTURE, payment, number, amount=1))["code"] == Code.OK
    assert engine.one(operation(Op.CAPTURE, payment, 100, amount=1))["code"] == Code.CAPACITY
    assert engine.one(operation(Op.CAPTURE, payment, 3, amount=1))["replayed"] == 1
    assert_whole(engine.s)


def test_all_that_is_due_ends_at_once_and_is_told_in_parts() -> None:
    engine = begun()
    count = 2 * EXPIRED_MAX + 10
    for number in range(count):
        engine.one(pay(number, T0))
    due = T0 + 7 * DAY_MS
    assert len(engine.tell(pay(1000, due - 1))) == 1
    seen = int(engine.s["version"][0])
    events = engine.tell(pay(1001, due))
    assert engine.s["version"][0] > seen, "who reads any payment meanwhile looks again"
    assert [event["kind"] for event in events] == [EventKind.EXPIRED] * EXPIRED_MAX + [EventKind.DECIDED]
    assert engine.s["balances"][0]["held"] == 2000
    assert len(engine.tell(command(Op.TICK))) == EXPIRED_MAX
    last = engine.tell(command(Op.TICK))
    assert len(last) == 10
    assert {int(event["state"]) for event in last} == {State.EXPIRED}
    assert {int(event["ring"]) for event in last} == {-1}
    assert not len(engine.tell(command(Op.TICK)))
    assert_whole(engine.s)


def test_no_timer_is_set_once_the_last_hold_has_ended() -> None:
    engine = begun()
    engine.one(pay(1, T0))
    assert engine.s["next_end"] == T0 + 7 * DAY_MS

    engine.tell(pay(2, T0 + 7 * DAY_MS, cvv_result=CheckResult.MISMATCH))

    assert engine.s["next_end"] == 0


def test_a_payment_comes_back_from_history() -> None:
    engine, back = begun(), restored(2**40)
    assert engine.one(back)["code"] == Code.OK
    assert engine.one(back)["code"] == Code.OK
    assert engine.one(operation(Op.REFUND, 2**40, 1, amount=601))["code"] == Code.EXCEEDS_CAPTURED
    before = int(engine.s["balances"][0]["total"])
    event = engine.one(operation(Op.REFUND, 2**40, 2))
    assert (event["code"], event["amount"], event["refunded"]) == (Code.OK, 600, 700)
    assert engine.s["balances"][0]["total"] == before + 600


def test_a_reversal_waits_for_its_payment() -> None:
    engine = begun()
    assert engine.one(reverse(5, T0))["code"] == Code.OK
    assert engine.one(reverse(5, T0))["replayed"] == 1
    assert engine.one(pay(5, T0 + DAY_MS - 1))["code"] == Code.REVERSED
    assert engine.one(reverse(6, T0 + DAY_MS))["code"] == Code.OK
    assert engine.one(pay(6, T0 + 2 * DAY_MS))["code"] == Code.OK
    assert_whole(engine.s)


def test_a_reversal_that_came_first_holds_after_its_payment_too() -> None:
    engine = begun()
    engine.one(reverse(5, T0))
    late = engine.one(pay(5, T0))
    again = engine.one(reverse(5, T0))
    assert (again["code"], again["payment"], again["state"]) == (Code.OK, late["payment"], State.DECLINED)


def test_a_reversal_ends_a_review() -> None:
    engine = begun()
    payment = int(engine.one(pay(5, T0, score=750))["payment"])
    voided = engine.one(reverse(5, T0))
    assert (voided["code"], voided["state"], voided["amount"]) == (Code.OK, State.VOIDED, 0)
    assert engine.one(operation(Op.REVIEW, payment, 1, kind=1))["code"] == Code.NOT_OPEN
    assert engine.one(reverse(5, T0))["replayed"] == 1
    assert_whole(engine.s)
