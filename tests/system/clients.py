"""Clients that keep their own record of what they were told, while the engine dies under them.

Each client posts orders of its own, one after the other, and notes every answer. An order
without an answer (connection lost, 503, 504) is sent again under the same client_order_id
until the engine says what became of it: accepted now, or `duplicate` with the original's fate.
Of what rests the oldest are cancelled, again until there is an answer, so that books stay small.
"""

import http.client
import json
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from engine.contract import instance
from tests.system.running import Running

GIVE_UP_S = 300.0
OPEN_MAX = 12
"""Orders that a client lets rest."""
UNANSWERED = {0, 429, 503, 504}


@dataclass
class Told:
    """What one client knows."""

    accepted: dict[int, dict[str, Any]] = field(default_factory=dict)  # client_order_id -> 200 reply
    duplicates: dict[int, dict[str, Any]] = field(default_factory=dict)  # what a retry was told
    rejected: dict[int, dict[str, Any]] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)  # order ids that had ended when the cancel was answered
    retries: int = 0
    faults: list[str] = field(default_factory=list)


class Client(threading.Thread):
    """Posts orders until told to stop.

    number : tells apart the client ids of clients; its account is 1 + number
    """

    def __init__(self, running: Running, number: int, seed: int) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self.told = Told()
        self._running = running
        self._number = number
        self._random = random.Random(seed * 1000 + number)
        self._stopping = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._open: deque[int] = deque()
        self._sent = 0

    def stop(self) -> None:
        """Finish the order that is on its way, then end."""
        self._stopping.set()

    def follow(self, running: Running) -> None:
        """Go on with the next start of the same instance."""
        self._running = running

    def run(self) -> None:
        while not self._stopping.is_set():
            self._sent += 1
            client_order_id = self._number * 2**32 + self._sent
            self._place(client_order_id)
            if len(self._open) > OPEN_MAX:
                self._cancel_oldest()
        self._disconnect()

    def _place(self, client_order_id: int) -> None:
        side = self._random.choice(("buy", "sell"))
        fields = {
            "client_order_id": client_order_id, "account": 1 + self._number, "symbol": "BTC-USD",
            "side": side, "price": f"{100 + self._random.randrange(-5, 6)}.00",
            "quantity": f"0.{self._random.randrange(1, 9)}",
        }  # fmt: skip
        status, reply = self._ask("POST", "/v1/orders", fields)
        if status == 200:
            self.told.accepted[client_order_id] = reply
        elif status == 409:
            self.told.duplicates[client_order_id] = reply
        else:
            self.told.rejected[client_order_id] = reply
        if reply.get("status") == "open":
            self._open.append(reply["order_id"])

    def _cancel_oldest(self) -> None:
        order_id = self._open.popleft()
        status, reply = self._ask("DELETE", f"/v1/orders/{order_id}?account={1 + self._number}")
        if status == 200 or reply.get("reason") == "unknown_order":
            self.told.cancelled.add(order_id)
        else:
            self.told.faults.append(f"order {order_id} cannot be cancelled: {status} {reply}")

    def _ask(
        self, method: str, path: str, fields: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Ask until there is an answer."""
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            status, reply = self._send(method, path, fields)
            if status not in UNANSWERED:
                return status, reply
            if time.monotonic() > deadline:
                self.told.faults.append(f"no answer for {method} {path} {fields}: {status} {reply}")
                self._stopping.set()
                return status, reply
            self.told.retries += 1
            time.sleep(0.02)

    def _send(self, method: str, path: str, fields: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        try:
            if self._connection is None:
                host = instance.read(self._running.data_dir).doors["orders"].removeprefix("http://")
                self._connection = http.client.HTTPConnection(host, timeout=10)
            self._connection.request(
                method, path, None if fields is None else json.dumps(fields),
                {"Authorization": f"Bearer {self._running.key}", "Content-Type": "application/json"},
            )  # fmt: skip
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, instance.PortError) as error:
            self._disconnect()
            return 0, {"error": repr(error)}

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
