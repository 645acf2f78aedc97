"""Movements of money out of history over HTTP, and the fee account out of the live state."""

from tests.api.past.test_pages import ONE, Api, api, bare, filled, story
from tests.engine.runtime.history.story import Story
from tests.flows import ACCOUNTS
from tests.postgres import dsn, postgres

__all__ = ["api", "bare", "dsn", "filled", "postgres", "story"]


async def test_movements_of_an_account_are_all_there_once(api: Api, story: Story) -> None:
    movements = await api.pages("/v1/accounts/1/movements", "movements", limit=3)

    own = [each for each in movements if each["op"] != "account"]
    expected = [
        (event["seq"], event["op"], event["id"], event["amount"] if gets else f"-{event['amount']}", balance)
        for event in story.movements
        for name, gets, balance in (
            ("account", event["op"] == "deposit", event.get("balance")),
            ("from", False, event.get("from_balance")),
            ("to", True, event.get("to_balance")),
        )
        if event.get(name) == 1
    ]
    assert len(expected) > 3
    assert [tuple(each[name] for name in ("seq", "op", "id", "amount", "balance")) for each in own] == (
        expected[::-1]
    )
    paid_in = [each for each in movements if each["seq"] == 10]  # USD, EUR and JPY in one line
    assert [each["currency"] for each in paid_in] == ["JPY", "EUR", "USD"]
    assert {(each["op"], each["id"], each["counter_account"]) for each in paid_in} == {
        ("account", None, None)
    }


async def test_movements_tell_the_other_side_of_a_transfer(api: Api, story: Story) -> None:
    told = {
        (account, each["seq"]): each["counter_account"]
        for account in ACCOUNTS
        for each in await api.pages(f"/v1/accounts/{account}/movements", "movements", limit=1000)
        if each["op"] == "transfer"
    }

    transfers = [event for event in story.movements if event["op"] == "transfer"]
    sides = [(event, one, other) for event in transfers for one, other in (("from", "to"), ("to", "from"))]
    assert "fees" in told.values()
    assert told == {
        (event[one], event["seq"]): event[other] for event, one, other in sides if event[one] != "fees"
    }


async def test_movements_of_a_time(api: Api, story: Story) -> None:
    times = [event["eng_ts"] for event in story.movements]
    begin, end = times[len(times) // 4], times[3 * len(times) // 4]

    found = await api.pages(f"/v1/accounts/3/movements?from={begin}&to={end}", "movements")

    assert all(begin <= each["eng_ts"] < end for each in found)
    assert {each["seq"] for each in found if each["id"]} == {
        event["seq"]
        for event in story.movements
        if begin <= event["eng_ts"] < end and 3 in (event.get("account"), event.get("from"), event.get("to"))
    }


async def test_movements_are_of_accounts_that_the_key_may_read(api: Api, bare: Api) -> None:
    own, _ = await api.get("/v1/accounts/1/movements", ONE)
    foreign, _ = await api.get("/v1/accounts/2/movements", ONE)
    unknown, _ = await api.get("/v1/accounts/999/movements")
    odd = await api.get("/v1/accounts/1/movements?symbol=XYZ")
    fees, _ = await api.get("/v1/accounts/fees/movements")
    without, problem = await bare.get("/v1/accounts/1/movements")

    assert (own, foreign, unknown, fees) == (200, 403, 404, 400)
    assert (odd[0], odd[1]["field"]) == (400, "symbol")
    assert (without, problem["reason"]) == (503, "no_history")


async def test_the_fee_account_is_an_operators_to_read(bare: Api, story: Story) -> None:
    status, told = await bare.get("/v1/accounts/fees")
    refused, problem = await bare.get("/v1/accounts/fees", ONE)

    assert (status, told["account"], told["seq"]) == (200, "fees", len(story.entries))
    assert {code: each["total"] for code, each in told["balances"].items()} == story.fees
    assert set(story.fees.values()) != {"0"}
    assert (refused, problem["reason"]) == (403, "not_permitted")
    assert "operator" in problem["detail"]
    assert (await bare.get("/v1/accounts/fees?currency=USD"))[1]["field"] == "currency"
