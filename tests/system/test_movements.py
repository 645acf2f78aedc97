"""Money moves once, whatever dies between its line and the next attempt (exchange rules S4 and S20)."""

import os
import signal
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.system.running import Running, await_true
from tests.system.test_kill_switch import ask

Start = Callable[..., Running]
ACCOUNT = 11
HALF = Decimal("0.5")
DEPOSIT = {"op": "deposit", "account": ACCOUNT, "currency": "USD", "amount": "100.5", "id": "wire-1"}
TRANSFER = {"op": "transfer", "from": ACCOUNT, "to": "fees", "currency": "USD", "amount": "0.5", "id": "t-1"}


def admin(running: Running, line: dict[str, Any]) -> tuple[int, Any]:
    return ask(running, "orders", "/v1/admin", line)


def repeated(running: Running, line: dict[str, Any]) -> int | None:
    """Send a line again; return the seq of the original, None where nobody answers for now."""
    status, told = admin(running, line)
    assert status in (0, 409, 503), told
    return told["original_seq"] if status == 409 else None


def total(running: Running, account: int | str) -> str:
    document = ask(running, "api", f"/v1/accounts/{account}")[1]
    return str(document["balances"]["USD"]["total"])


def movements(running: Running) -> Any:
    status, page = ask(running, "api", f"/v1/accounts/{ACCOUNT}/movements")
    return page["movements"] if status == 200 else None


def test_a_movement_that_is_sent_again_after_deaths_and_starts_does_nothing(start: Start) -> None:
    running = start()
    running.await_ready()
    assert admin(running, {"op": "account", "account": ACCOUNT})[0] == 200
    fees = Decimal(total(running, "fees"))
    status, first = admin(running, DEPOSIT)
    assert (status, first["events"][0]["balance"]) == (200, "100.5")
    assert admin(running, TRANSFER)[1]["events"][0]["from_balance"] == "100"

    worker = running.pid_of("worker")
    os.kill(worker, signal.SIGKILL)
    await_true(lambda: running.pid_of("worker") != worker, "a new worker")
    await_true(lambda: repeated(running, DEPOSIT) == first["seq"], "the worker knows the id")
    assert repeated(running, DEPOSIT | {"amount": "7"}) == first["seq"]
    assert (total(running, ACCOUNT), Decimal(total(running, "fees"))) == ("100", fees + HALF)
    await_true(lambda: len(movements(running) or ()) == 2, "history has the movements")
    assert [(each["op"], each["amount"], each["balance"], each["id"]) for each in movements(running)] == [
        ("transfer", "-0.5", "100", "t-1"),
        ("deposit", "100.5", "100.5", "wire-1"),
    ]
    assert running.stop() == 0

    running = start()
    running.await_ready()
    await_true(lambda: repeated(running, TRANSFER) is not None, "a new start knows the id")
    assert repeated(running, DEPOSIT) == first["seq"]
    assert (total(running, ACCOUNT), Decimal(total(running, "fees"))) == ("100", fees + HALF)
    status, refused = admin(running, DEPOSIT | {"op": "withdraw", "id": "w-1"})
    assert (status, refused["reason"], refused["field"]) == (422, "insufficient_funds", "amount")
    assert running.stop() == 0
