"""Scenarios of what comes after a decision: operations on payments, reversals, expiry, deposits."""

from typing import Any

from tests.payments.legacy.steps import (
    CARDS,
    MASTER,
    Scenario,
    account,
    deposit,
    merchant,
    operate,
    pay,
    reverse,
    scenario,
)
from tests.payments.legacy.windows import DAY_MS

EUR = "EUR"
WEEK_MS = 7 * DAY_MS


def left(
    state: str | None, held: int | None, captured: int | None = 0, refunded: int | None = 0, **also: Any
) -> dict[str, Any]:
    """Return what a reply says of a payment's state and money."""
    return {"state": state, "held": held, "captured": captured, "refunded": refunded, **also}


MONEY: tuple[Scenario, ...] = (
    scenario(
        "capture_in_parts_up_to_what_is_held",
        pay(amount=1000),
        operate("capture", 0, amount=400, also=left("open", 600, 400, amount=400, seq=4, payment="a-3")),
        operate("capture", 0, "EXCEEDS_AUTHORISED amount", amount=601, also=left("open", 600, 400, amount=0)),
        operate("capture", 0, amount=600, also=left("captured", 0, 1000, approval="000003")),
        operate("capture", 0, "NOT_OPEN payment", also=left("captured", 0, 1000, decision="DECLINE")),
    ),
    scenario(
        "capture_final_releases_the_rest",
        account(account=2, balances={EUR: 1000}),
        pay(amount=1000, account=2),
        operate("capture", 1, amount=1, final=True, also=left("captured", 0, 1, amount=1)),
        pay(amount=999, account=2),
    ),
    scenario(
        "capture_without_amount_takes_the_rest",
        pay(amount=1000),
        operate("capture", 0, also={"amount": 1000}),
    ),
    scenario("capture_of_a_sale_is_refused", pay(op="sale"), operate("capture", 0, "NOT_OPEN payment")),
    scenario(
        "void_in_parts",
        pay(amount=1000),
        operate("void", 0, amount=300, also=left("open", 700, amount=300)),
        operate("void", 0, "EXCEEDS_AUTHORISED amount", amount=701),
        operate("void", 0, also=left("voided", 0, amount=700)),
        operate("void", 0, "NOT_OPEN payment", also=left("voided", 0)),
        operate("refund", 0, "NOT_OPEN payment"),
    ),
    scenario(
        "void_of_the_rest_of_a_capture_is_captured",
        pay(amount=1000),
        operate("capture", 0, amount=300),
        operate("void", 0, also=left("captured", 0, 300, amount=700)),
    ),
    scenario(
        "refund_up_to_what_was_captured",
        account(account=2, balances={EUR: 1000}),
        pay(amount=1000, account=2, op="sale", also={"state": "captured"}),
        pay("FUNDS balance amount", amount=1, account=2),
        operate("refund", 1, amount=400, also=left("captured", 0, 1000, 400)),
        operate("refund", 1, "EXCEEDS_CAPTURED amount", amount=601),
        operate("refund", 1, also=left("captured", 0, 1000, 1000, amount=600)),
        operate("refund", 1, "EXCEEDS_CAPTURED amount"),
        pay(amount=999, account=2),
    ),
    scenario("refund_of_what_is_only_held_is_refused", pay(), operate("refund", 0, "NOT_OPEN payment")),
    scenario(
        "operations_on_a_declined_payment_are_refused",
        pay("CVV_MISMATCH cvv cvv_result", cvv_result="mismatch"),
        operate("capture", 0, "NOT_OPEN payment", also=left("declined", 0, approved_amount=0)),
        operate("void", 0, "NOT_OPEN payment"),
        operate("refund", 0, "NOT_OPEN payment"),
        operate("review", 0, "NOT_OPEN payment", outcome="approve", also={"request_id": None}),
        reverse("NOT_OPEN payment"),
    ),
)
MEMORY: tuple[Scenario, ...] = (
    scenario(
        "operation_asked_again_is_answered_again",
        pay(amount=1000),
        operate("capture", 0, request_id="o", amount=400),
        operate("capture", 0, request_id="o", amount=400, also=left("open", 600, 400, replayed=True, seq=4)),
        operate("capture", 0, "DUPLICATE request_id", request_id="o", also={"seq": 4, "payment": "a-3"}),
        operate("void", 0, "DUPLICATE request_id", request_id="o", amount=400, also={"amount": 0}),
        operate("capture", 0, "EXCEEDS_AUTHORISED amount", request_id="p", amount=601),
        operate("void", 0, request_id="q"),
        operate(
            "capture", 0, "EXCEEDS_AUTHORISED amount", request_id="p", amount=601, also={"state": "open"}
        ),
        operate("capture", 0, at=6 * DAY_MS, request_id="o", amount=400, also={"replayed": True}),
    ),
    scenario(
        "operation_of_number_65_has_no_room",
        pay(amount=1000),
        *(operate("void", 0, amount=1) for _ in range(64)),
        operate("void", 0, "CAPACITY", amount=1, also={"payment": None, "state": None, "seq": 68}),
        operate("void", 0, request_id="o1", amount=1, also={"replayed": True}),
    ),
    scenario(
        "reversal_voids_all_that_is_held",
        pay(amount=1000),
        operate("capture", 0, amount=1),
        reverse(also=left("captured", 0, 1, amount=999, payment="a-3", request_id="r0")),
        reverse(also={"replayed": True, "amount": 999}),
    ),
    scenario(
        "reversal_before_its_original",
        reverse(
            request_id="late", also=left(None, None, None, None, amount=0, decision="APPROVE", payment=None)
        ),
        reverse(request_id="late", at=DAY_MS - 2, also={"replayed": True, "payment": None}),
        pay(
            "REVERSED idempotency request_id",
            at=DAY_MS - 1,
            request_id="late",
            amount=1,
            also={"iso": "21", "matched": ["idempotency"], "state": "declined", "payment": "a-5"},
        ),
        pay("REVERSED idempotency request_id", request_id="late", amount=1, also={"replayed": True}),
        pay("DUPLICATE idempotency request_id", request_id="late", amount=2, also={"state": "declined"}),
        reverse(request_id="late", also={"state": "declined", "payment": "a-5", "amount": 0}),
    ),
    scenario(
        "reversal_ends_a_review",
        pay("REVIEW score_review score", score=750, request_id="r9"),
        reverse(request_id="r9", also={"state": "voided", "amount": 0}),
        reverse(request_id="r9", also={"replayed": True, "state": "voided"}),
    ),
    scenario(
        "reversal_is_forgotten_after_24h",
        reverse(),
        pay(at=DAY_MS, request_id="r0"),
        reverse(at=DAY_MS, also={"payment": "a-4", "state": "voided"}),
    ),
    scenario(
        "reversal_declines_as_an_attempt",
        *(reverse(request_id=f"r{index}") for index in (3, 4, 5)),
        *(pay("REVERSED idempotency request_id") for _ in range(3)),
        pay("VELOCITY card_1m card"),
    ),
)
TIME: tuple[Scenario, ...] = (
    scenario(
        "expired_when_the_days_of_the_merchant_are_over",
        account(account=2, balances={EUR: 1000}),
        pay(amount=1000, account=2),
        pay(amount=1, at=WEEK_MS - 1, card=MASTER),
        operate("capture", 1, amount=1, also={"state": "open"}),
        operate("void", 1, "NOT_OPEN payment", at=WEEK_MS, also=left("expired", 0, 1)),
        operate("refund", 1, also=left("expired", 0, 1, 1)),
        pay(amount=1000, account=2),
    ),
    scenario(
        "expired_by_the_days_at_the_time_of_approval",
        merchant(hold_days=1),
        pay(),
        merchant(hold_days=31),
        operate("capture", 1, "NOT_OPEN payment", at=DAY_MS, also={"state": "expired"}),
    ),
    scenario(
        "expired_is_what_nobody_reviewed",
        pay("REVIEW score_review score", score=700),
        operate("review", 0, "NOT_OPEN payment", at=WEEK_MS, outcome="approve", also={"state": "expired"}),
    ),
    scenario(
        "review_approved_holds_from_then_on",
        account(account=2, balances={EUR: 1000}),
        pay("REVIEW score_review score", amount=1000, account=2, score=700),
        operate("capture", 1, "NOT_OPEN payment", also=left("review", 0)),
        pay(amount=1, account=2),
        operate("review", 1, "FUNDS amount", outcome="approve", also=left("review", 0, rule="balance")),
        operate("void", 3),
        account(account=2, status="frozen"),
        operate(
            "review",
            1,
            "FROZEN_ACCOUNT account",
            outcome="approve",
            also={"rule": "account_status", "amount": 0},
        ),
        account(account=2),
        operate(
            "review",
            1,
            at=DAY_MS,
            outcome="approve",
            also=left("open", 1000, amount=1000, approved_amount=1000, approval="000004", seq=12),
        ),
        operate("review", 1, "NOT_OPEN payment", outcome="decline"),
        operate("void", 1, at=WEEK_MS, amount=1, also=left("open", 999)),
        operate("void", 1, "NOT_OPEN payment", at=WEEK_MS + DAY_MS, also=left("expired", 0)),
    ),
    scenario(
        "review_of_a_sale_captures",
        pay("REVIEW score_review score", amount=1000, op="sale", score=700),
        operate("review", 0, outcome="approve", also=left("captured", 0, 1000)),
    ),
    scenario(
        "review_approved_counts_from_then_on",
        account(limits={EUR: {"sum_24h": 1000}}),
        pay("REVIEW score_review score", amount=600, score=700),
        pay(amount=400),
        operate("review", 1, outcome="approve"),
        pay("DOUBLE_CHARGE double_charge amount", amount=600, also={"matched": ["double_charge"]}),
        pay("SUM_LIMIT account_sum_24h amount", amount=1, card=CARDS[0]),
        rules={"order": ["double_charge", "account_sum_24h", "score_review"]},
    ),
    scenario(
        "review_declined_counts_nowhere",
        pay("REVIEW score_review score", score=700),
        operate("review", 0, outcome="decline", also=left("declined", 0, decision="APPROVE", amount=0)),
        pay(),
        rules={"card_declines_1h": 1},
    ),
)
DEPOSITS: tuple[Scenario, ...] = (
    scenario(
        "deposit_is_made_once",
        account(account=2),
        deposit(account=2, amount=1000),
        deposit(account=2, amount=1000, also={"replayed": True}),
        deposit("DUPLICATE", account=2, amount=999, also={"iso": "94"}),
        deposit("DUPLICATE", account=2, amount=1000, currency="JPY"),
        pay(account=2, amount=1000),
        deposit("FUNDS", account=2, amount=-1, id="d2"),
        operate("void", 5),
        deposit("FUNDS", account=2, amount=-1, id="d2", also={"replayed": True}),
        deposit("FUNDS", account=2, amount=-1001, id="d3"),
        deposit(account=2, amount=-1000, id="d4"),
        pay("FUNDS balance amount", account=2, amount=1),
        pay(at=DAY_MS),
        deposit(account=2, amount=999, also={"replayed": False}),
    ),
    scenario("deposit_to_an_unknown_account", deposit("NO_ACCOUNT", account=9)),
    scenario(
        "deposit_stops_at_the_largest_sum",
        account(account=2, balances={EUR: 2**62 - 1}),
        deposit("CAPACITY", account=2, amount=2),
        deposit(account=2, amount=1),
        deposit("CAPACITY", account=2, amount=1, id="d2"),
        pay(account=2, amount=1, op="sale"),
        deposit("CAPACITY", account=2, amount=1, id="d2"),
        operate("refund", 4),
        deposit(account=2, amount=-1, id="d3"),
        deposit(account=2, amount=1, id="d2"),
    ),
    scenario(
        "account_line_keeps_the_balances_and_unsets_limits",
        account(limits={EUR: {"max": 10}}),
        pay("AMOUNT_LIMIT account_amount amount"),
        account(balances={EUR: 1}),
        pay(),
    ),
)
SCENARIOS = (*MONEY, *MEMORY, *TIME, *DEPOSITS)
