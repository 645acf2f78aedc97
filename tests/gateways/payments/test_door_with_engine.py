"""The payments door before the real kernels: set-up, and the life of a payment as a client sees it."""

from typing import Any

import pytest

from tests.gateways.payments.bodies_of_payments import CARD, NOW_MS, OTHER_PAN, PAN
from tests.gateways.payments.engine_client import Client


@pytest.fixture
async def client() -> Client:
    return await Client.begun()


async def test_a_payment_is_held_captured_and_refunded(client: Client) -> None:
    status, paid = await client.pay()
    assert (status, paid["code"], paid["state"], paid["approved_amount"]) == (200, "OK", "open", 1000)
    path = f"/{paid['payment']}"

    status, captured = await client.ask("POST", f"{path}/capture", {"request_id": "c", "amount": 400})
    assert (captured["amount"], captured["captured"], captured["held"]) == (400, 400, 600)
    assert captured["approval"] == paid["approval"]
    status, again = await client.ask("POST", f"{path}/capture", {"request_id": "c", "amount": 400})
    assert again == {**captured, "replayed": True}
    status, voided = await client.ask("POST", f"{path}/void", {"request_id": "v"})
    assert (voided["amount"], voided["state"], voided["held"]) == (600, "captured", 0)
    status, refunded = await client.ask("POST", f"{path}/refund", {"request_id": "f", "amount": 401})
    assert (status, refunded["code"], refunded["field"]) == (409, "EXCEEDS_CAPTURED", "amount")
    status, refunded = await client.ask("POST", f"{path}/refund", {"request_id": "g"})
    assert (status, refunded["amount"], refunded["refunded"]) == (200, 400, 400)

    status, shown = await client.ask("GET", path)
    assert (status, shown["refunded"], shown["request_id"]) == (200, 400, paid["request_id"])
    status, account = await client.ask("GET", "/accounts/1", key="viewer")
    expected = {"EUR": {"total": 1_000_500, "held": 0, "available": 1_000_500}}
    assert account == {"account": 1, "status": "open", "balances": expected}


async def test_a_request_that_is_repeated_is_answered_from_memory(client: Client) -> None:
    status, first = await client.pay(request_id="same")

    assert (await client.pay(request_id="same"))[1] == {**first, "replayed": True}
    assert (await client.pay(request_id="same", explain=False))[1] == {**first, "replayed": True}
    status, other = await client.pay(request_id="same", amount=999)
    assert (status, other["code"], other["amount"]) == (409, "DUPLICATE", 999)
    assert (other["payment"], other["seq"]) == (first["payment"], first["seq"])


@pytest.mark.parametrize(
    ("changes", "code", "rule", "field"),
    [
        ({"merchant": "m2"}, "BAD_MERCHANT", "merchant_active", "merchant"),
        ({"account": 2}, "NO_ACCOUNT", "account_status", "account"),
        ({"card": CARD | {"expiry": "2001"}}, "EXPIRED_CARD", "card_expiry", "card.expiry"),
        ({"card": CARD | {"pan": OTHER_PAN}}, "BLOCKED", "block_list", "card"),
    ],
)
async def test_a_decline_names_its_rule(
    client: Client, changes: dict[str, Any], code: str, rule: str, field: str
) -> None:
    status, reply = await client.pay(**changes)

    assert (status, reply["decision"], reply["code"]) == (200, "DECLINE", code)
    assert (reply["rule"], reply["field"]) == (rule, field)


async def test_an_acquirer_reads_what_its_merchant_discloses(client: Client) -> None:
    status, reply = await client.pay(amount=5001)

    assert (status, reply["code"], reply["iso"], reply["rule"]) == (200, "DECLINED", "05", None)
    shown = (await client.ask("GET", f"/{reply['payment']}", key="risk"))[1]
    assert (shown["code"], shown["rule"]) == ("AMOUNT_LIMIT", "merchant_amount")


async def test_a_reversal_may_come_before_its_original(client: Client) -> None:
    given = {"merchant": "m1", "request_id": "late", "received_at": NOW_MS}

    status, reversed_early = await client.ask("POST", "/void", given)
    status, late = await client.pay(request_id="late")

    assert (reversed_early["code"], reversed_early["payment"], reversed_early["amount"]) == ("OK", None, 0)
    assert (reversed_early["currency"], reversed_early["approved_amount"]) == (None, None)
    assert (status, late["code"]) == (200, "REVERSED")
    assert (late["rule"], late["field"]) == ("idempotency", "request_id")


async def test_a_void_by_its_request_voids_the_payment(client: Client) -> None:
    status, paid = await client.pay(request_id="mine")

    status, voided = await client.ask("POST", "/void", {"merchant": "m1", "request_id": "mine"})

    assert (status, voided["payment"]) == (200, paid["payment"])
    assert (voided["state"], voided["amount"]) == ("voided", 1000)


async def test_a_foreign_payment_is_not_found(client: Client) -> None:
    status, paid = await client.pay()

    status, foreign = await client.ask("POST", f"/{paid['payment']}/void", {"request_id": "v"}, "other")

    assert (status, foreign["code"], foreign["payment"]) == (404, "NOT_FOUND", paid["payment"])
    assert (await client.ask("GET", f"/{paid['payment']}"))[1]["held"] == 1000


async def test_no_pan_is_in_the_state(client: Client) -> None:
    await client.pay()

    state = client.engine.replica.state.tobytes()
    assert PAN.encode() not in state
    assert int(PAN).to_bytes(8, "little") not in state
