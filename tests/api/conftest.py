"""A whole instance, real processes and sockets, for the tests of the server."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringbuf.kernel_cache import ROOT
from tests.capacities import SMALL_ENGINE

START_S_MAX = 300
"""The first start of a changed source compiles every kernel."""
STOP_S_MAX = 30

CONFIG = """
[engine]
durability = "none"
{small}
[[keys]]
name = "every"
token = "every-account-key"
accounts = "all"
roles = ["trader", "operator", "viewer"]
[[keys]]
name = "one"
token = "key-of-account-one"
accounts = [1]
roles = ["viewer"]
[[currencies]]
currency = "USD"
[[currencies]]
currency = "BTC"
[[instruments]]
symbol = "BTC-USD"
base = "BTC"
quote = "USD"
tick_size = "0.01"
lot_size = "0.0001"
[[instruments]]
symbol = "IDLE"
base = "BTC"
quote = "USD"
tick_size = "1"
lot_size = "1"
[[accounts]]
account = 1
deposit = { USD = "100000000" }
[[accounts]]
account = 2
deposit = { USD = "100000000" }
[[accounts]]
account = 3
deposit = { USD = "100000000" }
"""
EVERY = {"Authorization": "Bearer every-account-key"}
ONE = {"Authorization": "Bearer key-of-account-one"}


class Instance:
    """A running instance and an HTTP client for it."""

    def __init__(self, ready: dict[str, Any], client: aiohttp.ClientSession) -> None:
        self.api = str(ready["api"])
        self.orders = str(ready["orders"])
        self.client = client

    async def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Return status and decoded body of a GET."""
        async with self.client.get(self.api + path, headers=EVERY if headers is None else headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def order(self, **fields: Any) -> dict[str, Any]:
        """Enter an order through the order door; return its reply, which comes when it is durable."""
        given = {"symbol": "BTC-USD", "account": 1} | fields
        async with self.client.post(self.orders + "/v1/orders", json=given, headers=EVERY) as answer:
            reply: dict[str, Any] = await answer.json(content_type=None)
            assert answer.status == 200, reply
            return reply

    async def cancel_all(self) -> None:
        """Take every order out."""
        for account in (1, 2, 3):
            url = f"{self.orders}/v1/orders?account={account}"
            async with self.client.delete(url, headers=EVERY) as answer:
                assert answer.status == 200, await answer.text()

    def stream(self, headers: dict[str, str] | None = None) -> Any:
        """Return a stream connection, to be entered."""
        return self.client.ws_connect(
            self.api.replace("http", "ws") + "/v1/stream", headers=EVERY if headers is None else headers
        )


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Start an instance for the whole run; it and its shared memory are gone afterwards."""
    folder = tmp_path_factory.mktemp("instance")
    config = folder / "pinion.toml"
    config.write_text(CONFIG.replace("{small}", SMALL_ENGINE))
    command = [sys.executable, "-m", "pinion.cli.main", "up", "--config", str(config)]
    command += ["--data", str(folder / "data"), "--api-port", "0", "--order-port", "0"]
    with (
        open(folder / "errors", "w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT) as process,
    ):
        try:
            yield _ready_line(process, folder / "errors")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)


def _ready_line(process: "subprocess.Popen[str]", errors: Path) -> dict[str, Any]:
    assert process.stdout is not None
    signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.alarm(START_S_MAX)
    try:
        for line in process.stdout:
            if line.startswith("ready "):
                answer: dict[str, Any] = json.loads(line.removeprefix("ready "))
                return answer
    finally:
        signal.alarm(0)
    raise AssertionError(f"the instance did not start: {errors.read_text()[-2000:]}")


@pytest.fixture
async def instance(ready: dict[str, Any]) -> AsyncIterator[Instance]:
    """Give a client of the running instance; its orders are taken out afterwards."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as client:
        running = Instance(ready, client)
        yield running
        await running.cancel_all()


async def next_message(socket: Any, **wanted: Any) -> dict[str, Any]:
    """Return the next message whose fields are as wanted."""
    async with asyncio.timeout(20):
        while True:
            message: dict[str, Any] = await socket.receive_json()
            if all(message.get(name) == value for name, value in wanted.items()):
                return message
