"""Clients that keep their own record of what they were told, while the engine dies under them.

Each client posts orders of its own, one after the other, and notes every answer. An order
without an answer (connection lost, 503, 504) is sent again under the same client_order_id
until the engine says what became of it: accepted now, or `duplicate` with the original's fate.
"""

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from engine import instance
from tests.system.running import Running

GIVE_UP_S = 300.0
UNANSWERED = {0, 429, 503, 504}


@dataclass
class Told:
    """What one client knows."""

    accepted: dict[int, dict[str, Any]] = field(default_factory=dict)  # client_order_id -> 200 reply
    duplicates: dict[int, dict[str, Any]] = field(default_factory=dict)  # what a retry was told
    rejected: dict[int, dict[str, Any]] = field(default_factory=dict)
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
        self._disconnect()

    def _place(self, client_order_id: int) -> None:
        side = self._random.choice(("buy", "sell"))
        fields = {
            "client_order_id": client_order_id, "account": 1 + self._number, "symbol": "BTC-USD",
            "side": side, "price": f"{100 + self._random.randrange(-5, 6)}.00",
            "quantity": f"0.{self._random.randrange(1, 9)}",
        }  # fmt: skip
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            status, reply = self._post(fields)
            if status == 200:
                self.told.accepted[client_order_id] = reply
                return
            if status == 409:
                self.told.duplicates[client_order_id] = reply
                return
            if status not in UNANSWERED:
                self.told.rejected[client_order_id] = reply
                return
            if time.monotonic() > deadline:
                self.told.faults.append(f"no answer for {client_order_id}: {status} {reply}")
                self._stopping.set()
                return
            self.told.retries += 1
            time.sleep(0.02)

    def _post(self, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        try:
            if self._connection is None:
                host = instance.read(self._running.data_dir).orders.removeprefix("http://")
                self._connection = http.client.HTTPConnection(host, timeout=10)
            self._connection.request(
                "POST", "/v1/orders", json.dumps(fields),
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
