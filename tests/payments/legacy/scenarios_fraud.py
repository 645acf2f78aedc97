"""Scenarios of the rules against fraud, of balance and order; a name begins with that of its rule."""

from typing import Any

from tests.payments.legacy.steps import (
    CARDS,
    MASTER,
    PAN,
    Scenario,
    account,
    listed,
    merchant,
    operate,
    pay,
    scenario,
)
from tests.payments.legacy.windows import DAY_MS, HOUR_MS, MINUTE_MS

EUR = "EUR"
DECLINED: dict[str, Any] = {"cvv_result": "mismatch"}
CVV = "CVV_MISMATCH cvv cvv_result"
OTHERS = [{"pan": each} for each in CARDS]

VELOCITIES: tuple[Scenario, ...] = (
    scenario(
        "scheme_retry_counts_declines_alone",
        pay(),
        pay(CVV, **DECLINED),
        pay(),
        rules={"scheme_retry": 2},
    ),
    scenario(
        "card_1m_equality_passes_until_the_bucket_leaves",
        pay(at=4_999),
        pay(),
        pay(),
        pay("VELOCITY card_1m card", at=MINUTE_MS - 1),
        pay(at=MINUTE_MS),
    ),
    scenario(
        "card_1m_a_bad_form_and_a_replay_are_no_attempts",
        pay(),
        pay("BAD_AMOUNT amount", amount=0),
        pay(request_id="r0", amount=1000, also={"replayed": True}),
        pay("DUPLICATE idempotency request_id", request_id="r0"),
        pay(),
        pay(),
        pay("VELOCITY card_1m card"),
    ),
    scenario(
        "card_1h_equality_passes",
        *(pay(at=5 * MINUTE_MS * index + 299_999) for index in range(10)),
        pay("VELOCITY card_1h card", at=HOUR_MS - 1),
    ),
    scenario(
        "card_1h_until_the_bucket_leaves",
        *(pay(at=5 * MINUTE_MS * index + 299_999) for index in range(10)),
        pay(at=HOUR_MS),
        pay("VELOCITY card_1h card"),
    ),
    scenario(
        "card_declines_1h_reaches_its_limit",
        *(pay(CVV, at=MINUTE_MS * index, **DECLINED) for index in range(5)),
        pay("VELOCITY card_declines_1h card", at=HOUR_MS - 1),
        pay(at=HOUR_MS + 5 * MINUTE_MS - 1, card=OTHERS[0]),
        pay(at=2 * HOUR_MS),
    ),
    scenario(
        "bin_declines_1h_counts_eight_or_six_digits",
        pay(CVV, card={"token": "a", "bin": "41111111"}, **DECLINED),
        pay(CVV, card={"token": "b", "bin": "4222222"}, **DECLINED),
        pay("VELOCITY bin_declines_1h card.bin"),
        pay("VELOCITY bin_declines_1h card.bin", card={"token": "c", "bin": "422222"}),
        pay(card={"token": "d", "bin": "42222222"}),
        pay(card={"token": "e"}),
        rules={"bin_declines_1h": 1},
    ),
    scenario("bin_declines_1h_is_off_unless_set", pay(CVV, **DECLINED), pay()),
    scenario(
        "device_cards_24h_equality_passes",
        *(pay(card=card, device="d") for card in OTHERS[:3]),
        pay("VELOCITY device_cards_24h device", at=DAY_MS - 1, device="d"),
        pay(device="D"),
        pay(card=OTHERS[0], device="D"),
        pay(at=DAY_MS, card=OTHERS[1], device="d"),
        pay(card=OTHERS[2], device="d"),
        pay("VELOCITY device_cards_24h device", card=OTHERS[3], device="d"),
    ),
    scenario(
        "ip_cards_1h_equality_passes_within_a_network",
        *(pay(card=card, ip=f"2001:db8::{index}") for index, card in enumerate(OTHERS[:5])),
        pay("VELOCITY ip_cards_1h ip", at=HOUR_MS - 1, ip="2001:db8::ffff"),
        pay(card=OTHERS[5], ip="2001:db8:0:1::"),
        pay(at=HOUR_MS, card=OTHERS[6], ip="2001:db8::9"),
    ),
    scenario(
        "email_cards_24h_folds_capitals",
        pay(email="a@b.c"),
        pay("VELOCITY email_cards_24h email", card=OTHERS[0], email="A@B.c"),
        pay(card=OTHERS[1], email="\u00c4@b.c"),
        pay(card=OTHERS[2], email="\u00e4@b.c"),
        rules={"email_cards_24h": 1},
    ),
    scenario("email_cards_24h_is_off_unless_set", *(pay(card=card, email="a@b.c") for card in OTHERS)),
    scenario(
        "scheme_retry_reaches_its_limit",
        pay(CVV, at=216_000_000 - 1, **DECLINED),
        pay(CVV, **DECLINED),
        pay("RETRY_FORBIDDEN scheme_retry card", at=30 * DAY_MS - 1),
        merchant(merchant="m2"),
        pay(merchant="m2"),
        pay(at=60 * DAY_MS),
        pay(),
        rules={"scheme_retry": 2, "card_1m": None},
    ),
)
SIGNS: tuple[Scenario, ...] = (
    scenario(
        "double_charge_of_the_last_approved_payment",
        pay(amount=500),
        pay("DOUBLE_CHARGE double_charge amount", at=119_999, amount=500),
        pay(at=120_000, amount=500),
        pay(amount=501),
        pay(at=130_000, amount=500),
        rules={"card_1m": None},
    ),
    scenario(
        "double_charge_at_another_merchant_or_in_another_currency_passes",
        merchant(merchant="m2"),
        pay(amount=500),
        pay(amount=500, merchant="m2"),
        pay(amount=500, merchant="m2", currency="JPY"),
        pay("DOUBLE_CHARGE double_charge amount", amount=500, merchant="m2", currency="JPY"),
        rules={"card_1m": None},
    ),
    scenario(
        "double_charge_after_a_whole_void_passes",
        pay(amount=500),
        operate("void", 0, amount=499),
        pay("DOUBLE_CHARGE double_charge amount", amount=500),
        operate("void", 0, also={"state": "voided"}),
        pay(amount=500),
    ),
    scenario("cvv_mismatch_declines", pay(CVV, cvv_result="mismatch"), pay(cvv_result="none")),
    scenario(
        "score_decline_equality_declines",
        pay("REVIEW score_review score", score=899, also={"state": "review", "decision": "REVIEW"}),
        pay("FRAUD_SCORE score_decline score", score=900, also={"matched": ["score_decline"]}),
    ),
    scenario(
        "score_review_equality_reviews",
        pay(score=699),
        pay("REVIEW score_review score", score=700, also={"approved_amount": 0, "approval": None}),
    ),
    scenario(
        "geo_equality_passes",
        merchant(geo_above={EUR: 5000}),
        pay(amount=5000, ip_country="FR", card={"issuer_country": "DE"}),
        pay("REVIEW geo ip_country", amount=5001, ip_country="FR", card={"issuer_country": "DE"}),
        pay(amount=5001, ip_country="DE", card={"pan": MASTER, "issuer_country": "DE"}),
        pay(amount=5001, ip_country="DE", card=OTHERS[0]),
        pay(amount=5001, currency="JPY", ip_country="FR", card={**OTHERS[1], "issuer_country": "DE"}),
    ),
    scenario(
        "small_then_large_within_ten_minutes",
        pay(amount=100),
        pay(at=599_999, amount=9_999, card=OTHERS[0]),
        pay("REVIEW small_then_large amount", amount=10_000),
        pay(at=600_000, amount=10_000),
    ),
    scenario(
        "small_then_large_by_the_unit_of_the_currency",
        pay(amount=101),
        pay(amount=10_000),
        pay(amount=1, currency="JPY", card=MASTER),
        pay("REVIEW small_then_large amount", amount=100, currency="JPY", card=MASTER),
        pay(amount=1000, currency="BHD", card=OTHERS[0]),
        pay("REVIEW small_then_large amount", amount=100_000, currency="BHD", card=OTHERS[0]),
        pay(amount=99_999, currency="BHD", card=OTHERS[0]),
    ),
    scenario(
        "sca_equality_passes",
        merchant(sca_above={EUR: 3000}),
        pay(amount=3000, channel="ecom"),
        pay("SCA_REQUIRED sca sca", amount=3001, channel="ecom", also={"state": "step_up"}),
        pay(amount=3001, channel="ecom", sca=True),
        pay(amount=3001, card=MASTER),
        pay(amount=3001, channel="ecom", currency="JPY", card=MASTER),
    ),
    scenario(
        "sca_outranks_a_review_that_was_noted_first",
        merchant(sca_above={EUR: 0}),
        pay("SCA_REQUIRED sca sca", channel="ecom", score=700, also={"matched": ["score_review", "sca"]}),
    ),
)
BALANCES: tuple[Scenario, ...] = (
    scenario(
        "balance_equality_passes_and_holds",
        account(account=2, balances={EUR: 1000}),
        pay("FUNDS balance amount", account=2, amount=1001),
        pay(account=2, amount=1000),
        pay("FUNDS balance amount", account=2, amount=1, allow_partial=True),
        pay("FUNDS balance amount", account=2, amount=1, currency="JPY", card=MASTER),
    ),
    scenario(
        "balance_partial_approves_what_is_there",
        account(account=2, balances={EUR: 1250}),
        pay(
            "PARTIAL", account=2, amount=2000, allow_partial=True, also={"approved_amount": 1250, "iso": "10"}
        ),
        pay("FUNDS balance amount", account=2, amount=1),
    ),
    scenario(
        "balance_partial_not_where_anything_was_noted",
        account(account=2, balances={EUR: 500}),
        pay(
            "FUNDS balance amount",
            account=2,
            allow_partial=True,
            score=700,
            also={"matched": ["score_review", "balance"]},
        ),
        pay(
            CVV,
            account=2,
            allow_partial=True,
            explain=True,
            cvv_result="mismatch",
            also={"matched": ["cvv", "balance"]},
        ),
        pay("PARTIAL", account=2, allow_partial=True, explain=True, also={"matched": []}),
    ),
    scenario(
        "allow_card_skips_velocity_and_signs",
        listed("allow_card", PAN),
        merchant(geo_above={EUR: 0}, sca_above={EUR: 5000}),
        *(pay(amount=50, score=950, ip_country="FR", card={"issuer_country": "DE"}) for _ in range(4)),
        pay(amount=10_000),
        pay(CVV, **DECLINED),
        pay("SCA_REQUIRED sca sca", amount=5001, channel="ecom"),
    ),
    scenario(
        "order_is_set_and_what_it_leaves_out_is_off",
        pay("FRAUD_SCORE score_decline score", score=950, cvv_result="mismatch", card={"expiry": "2001"}),
        pay("BAD_MERCHANT merchant_active merchant", merchant="m9"),
        pay("FUNDS balance amount", currency="USD", card={"expiry": "2001"}),
        rules={"order": ["score_decline", "cvv"]},
    ),
    scenario(
        "explain_lists_every_rule_and_decides_as_without",
        merchant(limits={EUR: {"max": 10}}),
        pay(
            "AMOUNT_LIMIT merchant_amount amount",
            explain=True,
            score=900,
            also={"matched": ["merchant_amount", "score_decline", "score_review"]},
        ),
        pay(
            "BAD_MERCHANT merchant_active merchant",
            merchant="m9",
            account=9,
            explain=True,
            also={"matched": ["merchant_active", "account_status", "balance"]},
        ),
    ),
)

SCENARIOS = (*VELOCITIES, *SIGNS, *BALANCES)
