"""A group of accounts on a live instance: its drawdown latches on a mark and stands (exchange rule S21)."""

import os
import signal
from collections.abc import Callable
from typing import Any

from tests.system.running import Running, await_true
from tests.system.test_kill_switch import ask
from tests.system.test_loss_limits import admin, metrics, order

Start = Callable[..., Running]
SYMBOL, GROUP = "BTC-USD", 7
DESK = (11, 12)  # accounts of the demo have several currencies
BLOCKED = [{"limit": "max_drawdown", "level": "cancel_and_block"}]


def enter(running: Running, account: int, side: str, price: str, quantity: str) -> tuple[int, Any]:
    return ask(running, "orders", "/v1/orders", order(account, side, price, quantity))


def group(running: Running) -> Any:
    return ask(running, "api", f"/v1/groups/{GROUP}")[1]


def blocked_by(running: Running, account: int) -> int | None:
    """Return the group by which an order of an account is blocked; None where it is not, or nobody serves."""
    status, document = enter(running, account, "buy", "70", "1")
    is_blocked = status == 422 and document["reason"] == "blocked"
    return int(document["group"]) if is_blocked else None


def test_a_group_is_stopped_as_a_whole_until_it_is_lifted(start: Start) -> None:
    running = start()
    running.await_ready()
    for account in DESK:
        assert admin(running, op="account", account=account, deposit={"USD": "1000"})[0] == 200
    assert ask(running, "api", f"/v1/groups/{GROUP}")[0] == 404
    assert admin(running, op="group", group=GROUP, accounts=list(DESK))[0] == 200
    status, refused = admin(running, op="group", group=8, accounts=[1, DESK[0]])
    assert (status, refused["reason"], refused["group"]) == (422, "in_another_group", 8)
    assert refused["detail"].startswith(f"account {DESK[0]}: ")
    status, refused = admin(running, op="limits", group=9, max_position="5")
    assert (status, refused["reason"], refused["field"]) == (422, "unknown_group", "group")
    assert admin(running, op="limits", group=GROUP, max_drawdown="50", max_position="2")[0] == 200
    assert admin(running, op="mark", symbol=SYMBOL, price="100")[0] == 200

    assert enter(running, DESK[0], "buy", "100", "1")[0] == 200
    prevented = enter(running, DESK[1], "sell", "100", "1")[1]  # the other account is of the same group
    assert (prevented["status"], prevented["reason"], prevented["fills"]) == ("cancelled", "stp", [])
    assert len(enter(running, 2, "sell", "100", "1")[1]["fills"]) == 1
    assert enter(running, DESK[1], "buy", "90", "1")[0] == 200
    status, refused = enter(running, DESK[1], "buy", "80", "1")
    assert (status, refused["reason"], refused["group"]) == (422, "max_position", GROUP)
    assert "of its group 7" in refused["detail"]
    told = group(running)
    assert told["accounts"] == list(DESK)
    assert told["limits"]["max_position"]["measured"] == "2"
    assert told["losses"]["equity"] == told["losses"]["peak"]
    assert ask(running, "api", f"/v1/accounts/{DESK[1]}")[1]["group"] == GROUP

    # The engine is idle behind the mark: its own TICKs carry the sweep.
    assert admin(running, op="mark", symbol=SYMBOL, price="50")[0] == 200
    await_true(lambda: group(running)["latches"] == BLOCKED, "the group's drawdown has latched")
    assert [blocked_by(running, account) for account in DESK] == [GROUP, GROUP]
    assert enter(running, 2, "buy", "40", "1")[0] == 200
    assert group(running)["open_orders"] == 0
    assert 'pinion_latched_groups{limit="max_drawdown"} 1.0' in metrics(running)

    worker = running.pid_of("worker")
    os.kill(worker, signal.SIGKILL)
    await_true(lambda: running.pid_of("worker") != worker, "a new worker")
    await_true(lambda: blocked_by(running, DESK[1]) == GROUP, "the worker serves, and the group is blocked")
    assert running.stop() == 0

    running = start()
    running.await_ready()
    await_true(lambda: blocked_by(running, DESK[0]) == GROUP, "a new start finds it blocked")
    status, lifted = admin(running, op="reset_latch", group=GROUP, limit="max_drawdown", rebase=True)
    assert (status, lifted["events"][0]["group"], lifted["events"][0]["measured"]) == (200, GROUP, "0")
    assert enter(running, DESK[1], "buy", "40", "1")[0] == 200
    status, killed = admin(running, op="kill", group=GROUP)
    assert (status, killed["cancelled_count"]) == (200, 1)
    assert blocked_by(running, DESK[0]) == GROUP
    assert admin(running, op="reset_latch", group=GROUP)[0] == 200
    assert group(running)["latches"] == []
    assert running.stop() == 0
