"""A kill stands: through the death of the worker and a restart of everything, until an operator lifts it."""

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.system.running import Running, await_true

Start = Callable[..., Running]
BUY = {"account": 1, "symbol": "BTC-USD", "side": "buy", "price": "100", "quantity": "1"}
KILLED = [{"limit": "kill", "level": "cancel_and_block"}]


def ask(running: Running, door: str, path: str, fields: Any = None) -> tuple[int, Any]:
    """Ask a door with the demo key; return status and body. A door that does not answer yet is status 0."""
    headers = {"Authorization": f"Bearer {running.key}"}
    body = None if fields is None else json.dumps(fields).encode()
    request = urllib.request.Request(running.ready[door] + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)
    except (urllib.error.URLError, ConnectionError):
        return 0, None


def is_blocked(running: Running) -> bool:
    status, document = ask(running, "orders", "/v1/orders", BUY)
    assert status in (0, 422, 503), document
    return status == 422 and document["reason"] == "blocked"


def test_what_was_killed_stays_so_until_it_is_lifted(start: Start) -> None:
    running = start()
    running.await_ready()
    assert ask(running, "orders", "/v1/orders", BUY)[0] == 200
    status, killed = ask(running, "orders", "/v1/admin", {"op": "kill", "account": 1})
    assert (status, killed["cancelled_count"]) == (200, 1)
    assert [each["event"] for each in killed["events"]] == ["cancelled", "latched"]
    assert is_blocked(running)
    assert ask(running, "api", "/v1/accounts/1")[1]["latches"] == KILLED

    worker = running.pid_of("worker")
    os.kill(worker, signal.SIGKILL)
    await_true(lambda: running.pid_of("worker") != worker, "a new worker")
    await_true(lambda: is_blocked(running), "the worker serves, and the account is blocked")
    assert running.stop() == 0

    running = start()
    running.await_ready()
    await_true(lambda: is_blocked(running), "a new start finds it blocked")
    assert ask(running, "api", "/v1/accounts/1")[1]["latches"] == KILLED
    assert ask(running, "orders", "/v1/orders", BUY | {"account": 2})[0] == 200
    assert ask(running, "orders", "/v1/admin", {"op": "reset_latch", "account": 1})[0] == 200
    assert ask(running, "orders", "/v1/orders", BUY)[0] == 200
    assert ask(running, "api", "/v1/accounts/1")[1]["latches"] == []
    assert running.stop() == 0
