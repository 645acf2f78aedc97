"""A drawdown latches on a mark, on a live instance, and stands until it is lifted (exchange rule S21)."""

import os
import signal
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.system.running import Running, await_true
from tests.system.test_kill_switch import ask

Start = Callable[..., Running]
SYMBOL = "BTC-USD"
ACCOUNT = 11  # those of the demo have several currencies
BLOCKED = [{"limit": "max_drawdown", "level": "cancel_and_block"}]


def order(account: int, side: str, price: str, quantity: str) -> dict[str, Any]:
    return {"account": account, "symbol": SYMBOL, "side": side, "price": price, "quantity": quantity}


def is_blocked(running: Running) -> bool:
    status, document = ask(running, "orders", "/v1/orders", order(ACCOUNT, "buy", "70", "1"))
    assert status in (0, 422, 503), document
    return status == 422 and document["reason"] == "blocked"


def admin(running: Running, **fields: Any) -> tuple[int, Any]:
    return ask(running, "orders", "/v1/admin", fields)


def losses(running: Running) -> Any:
    return ask(running, "api", f"/v1/accounts/{ACCOUNT}")[1]["losses"]


def latches(running: Running) -> Any:
    return ask(running, "api", f"/v1/accounts/{ACCOUNT}")[1]["latches"]


def test_a_drawdown_on_a_mark_blocks_the_account_until_it_is_lifted(start: Start) -> None:
    running = start()
    running.await_ready()
    assert admin(running, op="account", account=ACCOUNT, deposit={"USD": "1000"})[0] == 200
    assert admin(running, op="limits", account=1, max_drawdown="50")[1]["reason"] == "no_rate"
    for code in ask(running, "api", "/v1/accounts/1")[1]["balances"].keys() - {"USD"}:
        assert admin(running, op="rate", **{"currency": code, "in": "USD", "price": "2"})[0] == 200
    assert admin(running, op="limits", account=1, max_drawdown="1000000")[0] == 200
    assert admin(running, op="mark", symbol=SYMBOL, price="100")[0] == 200
    assert ask(running, "orders", "/v1/orders", order(ACCOUNT, "buy", "100", "2"))[0] == 200
    assert ask(running, "orders", "/v1/orders", order(2, "sell", "100", "2"))[0] == 200
    assert ask(running, "orders", "/v1/orders", order(ACCOUNT, "buy", "90", "1"))[0] == 200
    assert losses(running) is None
    assert admin(running, op="limits", account=ACCOUNT, max_drawdown="50", on_breach="reduce_only")[0] == 200
    assert admin(running, op="limits", account=ACCOUNT, max_drawdown="50", max_daily_loss="500")[0] == 200
    before = losses(running)
    assert before["peak"] == before["equity"] == before["day_start"]

    # The engine is idle behind the mark: its own TICKs carry the sweep, and the latch needs no order.
    assert admin(running, op="mark", symbol=SYMBOL, price="75")[0] == 200
    await_true(lambda: latches(running) == BLOCKED, "the drawdown has latched")
    now = losses(running)
    assert now["peak"] == before["peak"]
    limits = ask(running, "api", f"/v1/accounts/{ACCOUNT}")[1]["limits"]
    assert limits["max_drawdown"] == {
        **{"limit": "50", "on_breach": "cancel_and_block"},
        **{"measured": "50", "allowed": "50", "distance": "0"},
    }
    assert limits["max_daily_loss"]["distance"] == "450"
    assert is_blocked(running)
    assert ask(running, "api", f"/v1/accounts/{ACCOUNT}")[1]["open_orders"] == 0
    assert 'pinion_latched_accounts{limit="max_drawdown"} 1.0' in metrics(running)

    worker = running.pid_of("worker")
    os.kill(worker, signal.SIGKILL)
    await_true(lambda: running.pid_of("worker") != worker, "a new worker")
    await_true(lambda: is_blocked(running), "the worker serves, and the account is blocked")
    assert latches(running) == BLOCKED
    assert running.stop() == 0

    running = start()
    running.await_ready()
    await_true(lambda: is_blocked(running), "a new start finds it blocked")
    status, refused = admin(running, op="reset_latch", account=ACCOUNT)
    assert (status, refused["reason"]) == (422, "still_breached")
    status, lifted = admin(running, op="reset_latch", account=ACCOUNT, limit="max_drawdown", rebase=True)
    assert (status, lifted["events"][0]["measured"]) == (200, "0")
    assert ask(running, "orders", "/v1/orders", order(ACCOUNT, "buy", "70", "1"))[0] == 200
    assert latches(running) == []
    assert admin(running, op="session_start")[0] == 200
    assert losses(running)["day_start"] == losses(running)["equity"]
    assert running.stop() == 0


def metrics(running: Running) -> str:
    headers = {"Authorization": f"Bearer {running.key}"}
    request = urllib.request.Request(running.ready["api"] + "/metrics", None, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())
