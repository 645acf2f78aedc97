"""After `ready` no process compiles a kernel, whatever is asked of it: a first start waits for all of them.

numba says what it looks up in its cache: a kernel that is looked up only behind the ready line would be
compiled behind it in a first start.
"""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from engine.contract import instance
from ringbuf.kernel_cache import ROOT
from tests.system.running import await_true

WAIT_S = 600.0
SETTINGS = {"NUMBA_DEBUG_CACHE": "1", "PYTHONUNBUFFERED": "1"}
SYMBOL = "BTC-USD"
CHANNELS = {"book", "trades", "ticker", "orders", "fills", "status"}
SIZE = {"method": "fixed_notional", "amount": "1000"}
BOUGHT, SOLD, AMENDED = 1, 2, 3


class Exchange:
    """The doors of a running instance."""

    def __init__(self, data_dir: Path, ready: dict[str, Any]) -> None:
        self.data_dir = data_dir
        self.api, self.orders = ready["api"], ready["orders"]
        self.headers = {"Authorization": f"Bearer {(data_dir / 'demo.key').read_text().strip()}"}

    def ask(self, method: str, url: str, body: Any = None) -> tuple[int, Any]:
        """Return status and document of one request."""
        content = None if body is None else msgspec.json.encode(body)
        request = urllib.request.Request(url, content, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def pid_of(self, name: str) -> int:
        """Return the pid of a process, as it is announced now."""
        return next(each.pid for each in instance.read(self.data_dir).processes if each.name == name)

    def trade(self, first: int) -> None:
        """Do everything that the order door can do."""
        order = {"symbol": SYMBOL, "quantity": "1", "price": "100"}
        buy, sell = {**order, "account": 1, "side": "buy"}, {**order, "account": 2, "side": "sell"}
        url = f"{self.orders}/v1/orders"
        assert self.ask("POST", url, {**buy, "client_order_id": first + BOUGHT})[0] == 200
        assert self.ask("POST", url, {**sell, "client_order_id": first + SOLD})[0] == 200
        assert self.ask("POST", url, {**buy, "client_order_id": f"text-{first}"})[0] == 200
        assert self.ask("POST", url, {**buy, "client_order_id": first + AMENDED, "quantity": "3"})[0] == 200
        named = f"{url}/client:{first + AMENDED}?account=1"
        assert self.ask("PATCH", named, {"quantity": "2", "price": "99"})[0] == 200
        assert self.ask("DELETE", named)[0] == 200
        sized = {name: value for name, value in buy.items() if name != "quantity"} | {"size_by": SIZE}
        assert self.ask("POST", url, sized)[0] == 200
        assert self.ask("POST", f"{url}/batch", [{**buy, "client_order_id": first + 10}])[0] == 200
        assert self.ask("DELETE", f"{url}?account=1")[0] == 200
        for line in (
            {"op": "limits", "account": 1, "max_open_orders": 100},
            {"op": "phase", "symbol": None, "phase": "halted"},
            {"op": "phase", "symbol": None, "phase": "continuous"},
            {"op": "account", "account": 11, "deposit": {"USD": "1000000"}},
            {"op": "limits", "account": 11, "max_drawdown": "1000000"},
            {"op": "deposit", "account": 1, "currency": "USD", "amount": "9", "id": f"d-{first}"},
            {"op": "withdraw", "account": 1, "currency": "USD", "amount": "1", "id": f"w-{first}"},
            {"op": "transfer", "from": 1, "to": "fees", "currency": "USD", "amount": "1", "id": f"t-{first}"},
            {"op": "mark", "symbol": SYMBOL, "price": f"{100 + first % 7}"},
            {"op": "session_start"},
            {"op": "session_end"},
            {"op": "kill", "symbol": SYMBOL},
            {"op": "reset_latch", "symbol": SYMBOL},
        ):
            assert self.ask("POST", f"{self.orders}/v1/admin", line)[0] == 200

    def query(self) -> None:
        """Ask the query door everything, live and past."""
        for path in (
            *("instruments", f"book/{SYMBOL}?depth=5", f"trades/{SYMBOL}", "orders?account=1&status=open"),
            *("orders?account=1", "fills?account=1", "accounts/1", "accounts/fees", "status", "latency"),
            "accounts/1/movements",
            f"orders/client:{BOUGHT}?account=1",
            f"accounts/1/size?symbol={SYMBOL}&side=buy&price=100&method=fixed_notional&amount=1000",
        ):
            status, said = self.ask("GET", f"{self.api}/v1/{path}")
            assert status == 200, (path, said)
        assert self.ask("GET", f"{self.api}/metrics")[0] == 200

    async def stream(self, first: int) -> None:
        """Trade over a session while every channel is watched."""
        async with aiohttp.ClientSession(headers=self.headers) as client:
            watching = await client.ws_connect(f"{self.api}/v1/stream")
            for channel in ("book", "trades", "ticker"):
                await watching.send_json({"op": "subscribe", "channel": channel, "symbol": SYMBOL})
            for channel in ("orders", "fills"):
                await watching.send_json({"op": "subscribe", "channel": channel, "account": 1})
            await watching.send_json({"op": "subscribe", "channel": "status"})
            told, subscribed = set[str](), 0
            while subscribed < len(CHANNELS):  # what happens before that is told nobody
                message = await watching.receive_json(timeout=60)
                if message.get("type") == "subscribed":
                    subscribed += 1
                else:
                    told.add(message.get("channel", ""))
            session = await client.ws_connect(f"{self.orders}/v1/session")
            order = {"op": "new", "symbol": SYMBOL, "quantity": "1", "price": "100"}
            for account, side in ((1, "buy"), (2, "sell")):
                line = {**order, "account": account, "side": side, "client_order_id": first + account}
                await session.send_json({"id": account, **line})
            while not CHANNELS <= told:
                message = await watching.receive_json(timeout=60)
                told.add(message.get("channel", ""))
            await session.close()
            await watching.close()

    def kill(self, name: str) -> None:
        """Kill a process; wait until its successor serves."""
        before = self.pid_of(name)
        os.kill(before, signal.SIGKILL)
        await_true(lambda: self.pid_of(name) != before, f"a new {name}")

        def serves() -> bool:
            url = f"{self.orders}/v1/orders/client:1?account=1"
            try:
                is_up = self.ask("DELETE", url)[0] in (200, 404, 409)
                return is_up and self.ask("GET", f"{self.api}/readyz")[0] == 200
            except urllib.error.URLError:
                return False

        await_true(serves, f"the new {name} serves", WAIT_S)


def look_ups(log: str) -> set[str]:
    """Return the compiled kernels that a log says were found in the cache, or were made and saved there."""
    lines = [line.split() for line in log.splitlines() if line.startswith("[cache] data ")]
    return {words[-1] for words in lines}


def test_no_kernel_is_looked_up_only_behind_the_ready_line(tmp_path: Path) -> None:
    log, data_dir = tmp_path / "log", tmp_path / "data"
    pinion = [sys.executable, "-m", "pinion.cli.main"]
    ports = ["--api-port", "0", "--order-port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*pinion, "up", "--data", str(data_dir), *ports], cwd=ROOT, stdout=file, env=os.environ | SETTINGS
        )
    try:
        await_true(lambda: "\nready " in log.read_text() or process.poll() is not None, "ready", WAIT_S)
        ready = next(line for line in log.read_text().splitlines() if line.startswith("ready "))
        exchange = Exchange(data_dir, msgspec.json.decode(ready.removeprefix("ready ")))
        exchange.trade(0)
        await_true(lambda: exchange.ask("GET", f"{exchange.api}/v1/fills?account=1")[0] == 200, "history", 60)
        exchange.query()
        asyncio.run(exchange.stream(100))
        subprocess.run(
            [*pinion, "digest", "--data", str(data_dir)], cwd=ROOT, check=True, capture_output=True
        )
        for name, first in (("worker", 200), ("journaler", 300), ("http", 400), ("api", 500)):
            exchange.kill(name)
            exchange.trade(first)
            exchange.query()
        process.terminate()
        assert process.wait(WAIT_S) == 0
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(WAIT_S)

    before, _, behind = log.read_text().partition("\nready ")
    assert len(look_ups(before)) > 20
    assert look_ups(behind) - look_ups(before) == set()
