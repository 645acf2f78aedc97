"""An account on margin, on a live instance; its latch stands over a death (exchange rule S21)."""

import os
import signal
from collections.abc import Callable
from typing import Any

from tests.system.running import Running, await_true
from tests.system.test_kill_switch import ask
from tests.system.test_loss_limits import admin

Start = Callable[..., Running]
ON_MARGIN, OTHER = 900, 901
LATCHED = [{"limit": "maintenance_margin", "level": "reduce_only"}]
INSTRUMENT = {
    **{"op": "instrument", "symbol": "MRG", "base": "BTC", "quote": "USD", "tick_size": "0.01"},
    **{"lot_size": "1", "initial_margin_ppm": 100_000, "maintenance_margin_ppm": 50_000},
}


def enter(running: Running, account: int, side: str, price: str, quantity: str, **more: Any) -> Any:
    order = {"account": account, "symbol": "MRG", "side": side, "price": price, "quantity": quantity}
    return ask(running, "orders", "/v1/orders", order | more)


def account(running: Running) -> Any:
    return ask(running, "api", f"/v1/accounts/{ON_MARGIN}")[1]


def may_only_reduce(running: Running) -> bool:
    status, document = enter(running, ON_MARGIN, "buy", "5.00", "1")
    assert status in (0, 422, 503), document
    return status == 422 and document["reason"] == "reduce_only"


def test_an_account_below_its_margin_may_only_reduce_until_it_is_lifted(start: Start) -> None:
    running = start()
    running.await_ready()
    assert admin(running, **INSTRUMENT)[0] == 200
    assert admin(running, op="account", account=ON_MARGIN, funding="margin", deposit={"USD": "100"})[0] == 200
    assert admin(running, op="account", account=OTHER, deposit={"USD": "10000"})[0] == 200
    assert enter(running, ON_MARGIN, "buy", "10.00", "95")[0] == 200
    assert enter(running, OTHER, "sell", "10.00", "95")[0] == 200
    status, refused = enter(running, ON_MARGIN, "buy", "10.00", "6")
    assert (status, refused["reason"]) == (422, "insufficient_margin")
    status, refused = admin(running, op="account", account=ON_MARGIN, funding="cash")
    assert (status, refused["reason"]) == (422, "not_flat")
    status, cut = enter(running, ON_MARGIN, "sell", "10.50", "200", reduce_only=True)
    assert (status, cut["quantity"], cut["leaves_quantity"]) == (200, "95", "95")
    assert (account(running)["funding"], account(running)["margin"]["free"]) == ("margin", "5")

    # Nobody enters an order behind the mark: the engine's own TICKs carry the sweep.
    assert admin(running, op="mark", symbol="MRG", price="9.40")[0] == 200
    await_true(lambda: account(running)["latches"] == LATCHED, "the margin has latched")
    assert may_only_reduce(running)
    status, refused = admin(running, op="withdraw", account=ON_MARGIN, currency="USD", amount="1", id="w-1")
    assert (status, refused["reason"]) == (422, "insufficient_margin")

    worker = running.pid_of("worker")
    os.kill(worker, signal.SIGKILL)
    await_true(lambda: running.pid_of("worker") != worker, "a new worker")
    await_true(lambda: may_only_reduce(running), "the worker serves, and the account may only reduce")
    assert account(running)["latches"] == LATCHED
    assert admin(running, op="reset_latch", account=ON_MARGIN)[1]["reason"] == "still_breached"
    paid = {"account": ON_MARGIN, "currency": "USD", "amount": "100", "id": "d-1"}
    assert admin(running, op="deposit", **paid)[0] == 200
    assert admin(running, op="reset_latch", account=ON_MARGIN)[0] == 200
    assert (account(running)["latches"], account(running)["open_orders"]) == ([], 1)
    assert running.stop() == 0
