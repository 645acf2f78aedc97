"""Scenarios of the rules up to the sums and counts of a day; a name begins with that of its rule."""

from typing import Any

from tests.payments.legacy.ask import month_start_ms
from tests.payments.legacy.steps import (
    CARDS,
    MASTER,
    NOW,
    PAN,
    Scenario,
    account,
    listed,
    merchant,
    operate,
    pay,
    scenario,
)
from tests.payments.legacy.windows import DAY_MS, HOUR_MS

EUR = "EUR"
DECLINED: dict[str, Any] = {"cvv_result": "mismatch"}
CVV = "CVV_MISMATCH cvv cvv_result"
OTHERS = [{"pan": each} for each in CARDS]
MONTH_END = month_start_ms("2506", 1) - NOW

IDENTITY: tuple[Scenario, ...] = (
    scenario(
        "idempotency_same_body_is_replayed",
        pay(also={"seq": 3, "payment": "a-3", "approval": "000003"}),
        pay(request_id="r0", amount=1000, also={"replayed": True, "seq": 3, "payment": "a-3"}),
        pay(request_id="r0", amount=1000, explain=True, also={"replayed": True}),
        pay("DUPLICATE idempotency request_id", request_id="r0", also={"seq": 3, "state": "open"}),
        pay("DUPLICATE idempotency request_id", request_id="r0", amount=1000, sca=False),
    ),
    scenario(
        "idempotency_a_decline_is_replayed",
        pay("BAD_MERCHANT merchant_active merchant", merchant="m9"),
        pay(
            "BAD_MERCHANT merchant_active merchant",
            merchant="m9",
            request_id="r0",
            amount=1000,
            also={"replayed": True},
        ),
        pay(request_id="r0", amount=1000),
    ),
    scenario(
        "idempotency_24h_less_1_ms_remembers",
        pay(),
        pay(at=DAY_MS - 1, request_id="r0", amount=1000, also={"replayed": True}),
    ),
    scenario(
        "idempotency_24h_forgets",
        pay(),
        pay(at=DAY_MS, request_id="r0", amount=1000, also={"replayed": False, "seq": 4}),
    ),
    scenario(
        "idempotency_time_never_goes_back",
        pay(at=DAY_MS),
        pay(at=0),
        pay(at=2 * DAY_MS - 1, request_id="r1", amount=1001, also={"replayed": True}),
        pay(at=2 * DAY_MS, request_id="r1", amount=1001, also={"replayed": False}),
    ),
    scenario(
        "merchant_active_false_declines",
        merchant(active=False),
        pay("BAD_MERCHANT merchant_active merchant", also={"state": "declined", "approval": None}),
        merchant(),
        pay(),
    ),
    scenario("merchant_active_unknown_declines", pay("BAD_MERCHANT merchant_active merchant", merchant="m9")),
    scenario(
        "account_status_each",
        pay("NO_ACCOUNT account_status account", account=9),
        account(status="closed"),
        pay("CLOSED_ACCOUNT account_status account"),
        account(status="frozen"),
        pay("FROZEN_ACCOUNT account_status account"),
        account(),
        pay(card=MASTER),
    ),
    scenario(
        "card_expiry_last_ms_of_its_month_passes",
        pay(at=MONTH_END - 1, card={"expiry": "2506"}),
        pay("EXPIRED_CARD card_expiry card.expiry", at=MONTH_END, card={"expiry": "2506"}),
    ),
    scenario(
        "hot_list_lost_before_stolen",
        listed("stolen", PAN, MASTER),
        listed("lost", PAN),
        pay("LOST_CARD hot_list card"),
        pay("STOLEN_CARD hot_list card", card=MASTER),
        pay(card={"token": PAN}),
        listed("lost", removed=(PAN,)),
        pay("STOLEN_CARD hot_list card"),
    ),
    scenario(
        "block_list_in_its_order",
        listed("block_card", MASTER, "tok"),
        listed("block_bin", "411111", "22230031"),
        listed("block_account", 9),
        listed("block_device", "d"),
        listed("block_ip", "10.0.0.1", "2001:db8::1"),
        listed("block_email", "A@b.c"),
        account(account=9, balances={EUR: 10**6}),
        pay("BLOCKED block_list card", card=MASTER, account=9),
        pay("BLOCKED block_list card", card={"token": "tok"}),
        pay("BLOCKED block_list card.bin", account=9),
        pay("BLOCKED block_list card.bin", card="2223003122003222"),
        pay("BLOCKED block_list card.bin", card={"token": "t", "bin": "4111112"}),
        pay("BLOCKED block_list account", card=OTHERS[1], account=9, device="d"),
        pay("BLOCKED block_list device", card=OTHERS[1], device="d", ip="10.0.0.1"),
        pay("BLOCKED block_list ip", card=OTHERS[1], ip="::ffff:10.0.0.1", email="a@b.c"),
        pay("BLOCKED block_list ip", card=OTHERS[1], ip="2001:db8:0:0:7::9"),
        pay("BLOCKED block_list email", card=OTHERS[1], email="a@B.C"),
        pay(card={"token": "t", "bin": "2223003"}, device="D", ip="2001:db8:0:1::1"),
    ),
    scenario(
        "merchant_permits_in_its_order",
        merchant(currencies=[EUR], channels=["pos"], card_types=["debit"], issuer_countries=["DE"]),
        pay("CURRENCY_NOT_PERMITTED merchant_permits currency", currency="JPY", channel="ecom"),
        pay("CHANNEL_NOT_PERMITTED merchant_permits channel", channel="ecom", card={"type": "credit"}),
        pay("CARD_TYPE_NOT_PERMITTED merchant_permits card.type", card={"type": "credit"}),
        pay("COUNTRY_NOT_PERMITTED merchant_permits card.issuer_country", card=MASTER),
        pay(
            "COUNTRY_NOT_PERMITTED merchant_permits card.issuer_country",
            card={"pan": MASTER, "issuer_country": "FR"},
        ),
        pay(card={"pan": OTHERS[0]["pan"], "issuer_country": "DE", "type": "debit"}),
    ),
    scenario(
        "merchant_permits_nothing_where_a_list_is_empty",
        merchant(card_types=[]),
        pay(),
        pay("CARD_TYPE_NOT_PERMITTED merchant_permits card.type", card={"type": "debit"}),
    ),
)
AMOUNTS: tuple[Scenario, ...] = (
    scenario(
        "merchant_amount_equality_passes",
        merchant(limits={EUR: {"min": 100, "max": 5000}}),
        pay("AMOUNT_LIMIT merchant_amount amount", amount=99, card=OTHERS[0]),
        pay(amount=100, card=OTHERS[1]),
        pay(amount=5000, card=OTHERS[2]),
        pay("AMOUNT_LIMIT merchant_amount amount", amount=5001, card=OTHERS[3]),
        pay(amount=5001, currency="JPY", card=OTHERS[4]),
    ),
    scenario(
        "account_amount_equality_passes",
        account(limits={EUR: {"min": 10, "max": 700}}),
        pay("AMOUNT_LIMIT account_amount amount", amount=9, card=OTHERS[0]),
        pay(amount=10, card=OTHERS[1]),
        pay(amount=700, card=OTHERS[2]),
        pay("AMOUNT_LIMIT account_amount amount", amount=701, card=OTHERS[3]),
    ),
    scenario(
        "merchant_daily_equality_passes_until_the_day_ends",
        merchant(limits={EUR: {"daily": 1000}}),
        account(account=2),
        pay(amount=400, card=OTHERS[0]),
        pay("FUNDS balance amount", amount=500, account=2, card=OTHERS[1], also={"state": "declined"}),
        pay(amount=600, card=OTHERS[1]),
        pay("MERCHANT_DAILY_LIMIT merchant_daily amount", at=DAY_MS - 1, amount=1, card=OTHERS[2]),
        pay(at=DAY_MS, amount=1000, card=OTHERS[3]),
    ),
    scenario(
        "merchant_daily_a_limit_counts_what_came_before_it",
        pay(amount=900),
        merchant(limits={EUR: {"daily": 1000}}),
        pay("MERCHANT_DAILY_LIMIT merchant_daily amount", amount=101),
        pay(amount=101, currency="JPY"),
    ),
    scenario(
        "account_sum_24h_counts_what_was_approved",
        account(limits={EUR: {"sum_24h": 1000}}),
        pay(CVV, amount=300, card=OTHERS[0], **DECLINED),
        pay(amount=400, card=OTHERS[1]),
        pay(amount=600, card=OTHERS[2]),
        pay("SUM_LIMIT account_sum_24h amount", at=DAY_MS - 1, amount=1, card=OTHERS[3]),
        pay(at=DAY_MS, amount=1000, card=OTHERS[4]),
    ),
    scenario(
        "account_sum_24h_a_void_gives_nothing_back",
        account(limits={EUR: {"sum_24h": 1000}}),
        pay(amount=1000),
        operate("void", 1),
        pay("SUM_LIMIT account_sum_24h amount", amount=1),
    ),
    scenario(
        "account_sum_24h_the_oldest_bucket_leaves_whole",
        account(limits={EUR: {"sum_24h": 1000}}),
        pay(at=2 * HOUR_MS - 1, amount=999, card=OTHERS[0]),
        pay("SUM_LIMIT account_sum_24h amount", at=DAY_MS - 1, amount=2, card=OTHERS[1]),
        pay(at=DAY_MS, amount=1000, card=OTHERS[2]),
    ),
    scenario(
        "account_count_24h_equality_passes",
        account(count_24h=2),
        pay(card=OTHERS[0]),
        pay(CVV, card=OTHERS[1], **DECLINED),
        pay("COUNT_LIMIT account_count_24h account", at=DAY_MS - 1, card=OTHERS[2]),
        pay(at=DAY_MS, card=OTHERS[3]),
    ),
)

SCENARIOS = (*IDENTITY, *AMOUNTS)
