"""The `risk` channel of a running instance: a latch is told at once, and to whose account it is alone."""

from typing import Any

from tests.api.conftest import EVERY, ONE, Instance, next_message


async def admin(instance: Instance, **fields: Any) -> Any:
    async with instance.client.post(instance.orders + "/v1/admin", json=fields, headers=EVERY) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json(content_type=None)


async def test_a_drawdown_is_followed_until_it_latches(instance: Instance) -> None:
    await admin(instance, op="mark", symbol="IDLE", price="100")
    await instance.order(account=1, symbol="IDLE", side="buy", price="100", quantity="2")
    await instance.order(account=2, symbol="IDLE", side="sell", price="100", quantity="2")
    await admin(instance, op="limits", account=1, max_drawdown="50")
    await admin(instance, op="limits", account=2, max_drawdown="1000")
    try:
        async with instance.stream(ONE) as own, instance.stream(EVERY) as every:
            await own.send_json({"op": "subscribe", "channel": "risk"})
            await every.send_json({"op": "subscribe", "channel": "risk", "account": 2})
            [before] = (await next_message(own, type="snapshot"))["accounts"]
            [other] = (await next_message(every, type="snapshot"))["accounts"]
            await admin(instance, op="mark", symbol="IDLE", price="90")
            [near] = (await next_message(own, type="delta"))["accounts"]
            await admin(instance, op="mark", symbol="IDLE", price="75")
            [latched] = (await next_message(own, type="latched"))["data"]
            after = await next_message(own, type="delta")
            while not after["accounts"][0]["latches"]:  # one that was taken before
                after = await next_message(own, type="delta")
    finally:
        await admin(instance, op="reset_latch", account=1, rebase=True)
        await admin(instance, op="limits", account=1, max_drawdown=None)
        await admin(instance, op="limits", account=2, max_drawdown=None)

    assert (before["account"], before["losses"]["drawdown"], other["account"]) == (1, "0", 2)
    assert (near["losses"]["drawdown"], near["limits"]["max_drawdown"]["distance"]) == ("20", "30")
    assert (latched["account"], latched["limit"], latched["measured"]) == (1, "max_drawdown", "50")
    assert after["accounts"][0]["latches"] == [{"limit": "max_drawdown", "level": "cancel_and_block"}]
