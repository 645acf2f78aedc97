"""A load generator for HTTP doors, in a process of its own: raw sockets, requests made beforehand.

    python -m perf.load_http PORT --key KEY --seconds 5 [--rate 3400] [--connections 16]

Closed loop (no rate): each connection sends as soon as it has its answer. Open loop: request i is
due at start + i / rate whatever the answers do; its latency counts from then, so a stall is
charged to every request that should have been sent meanwhile. No request is pipelined.

Answers are kept as bytes and looked at after the clock has stopped: each one is parsed and must
be a 200 that echoes its own client id. The result is one JSON line.

The order flow keeps the book level: of every four orders two are a pair that meets, a buy and a sell
at its price, one is a buy that rests far below and one a sell that takes the best of these; the first
RESTING of such sells are buys instead. With several connections orders may come in another order;
all are accepted either way. Sellers and buyers are different accounts, which never trade with themselves.
"""

import argparse
import select
import socket
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
import numpy as np

from perf.histogram import percentiles

SELLERS = 5
"""Of the demo's ten accounts: the even ones sell, the odd ones buy."""
RESTING = 2000
"""Buys of a session that stay in the book."""
RECEIVE_BYTES = 65536
WARM_UP_S = 0.5
CLOSED_RATE_MAX = 40_000
"""Requests a second for which a closed loop is prepared."""
_HEAD_END = b"\r\n\r\n"


def client_order_id(number: int, session: int) -> int:
    """Return the client id of order `number`; `session` keeps those of runs apart."""
    return session * 2**32 + number + 1


def order_body(number: int, session: int) -> bytes:
    """Return order `number` of a run's flow as JSON."""
    group, place = divmod(number, 4)
    is_sell = place == 1 or (place == 3 and group >= RESTING // 2)
    cents = (
        6_000_000  # one price: of several, a sell above and a buy below would stay when they come crosswise
    )
    if place >= 2:
        cents = 4_000_000 if is_sell else 5_000_000 + group * 7919 % 20_000
    return (
        f'{{"account":{2 * (group % SELLERS) + (2 if is_sell else 1)},"symbol":"BTC-USD",'
        f'"side":"{"sell" if is_sell else "buy"}","type":"limit",'
        f'"price":"{cents // 100}.{cents % 100:02d}","quantity":"0.0001",'
        f'"client_order_id":{client_order_id(number, session)}}}'
    ).encode()


def http_request(body: bytes, key: str) -> bytes:
    """Return a POST of the order."""
    return (
        f"POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@dataclass
class LoadConnection:
    """One keep-alive connection and the request on it."""

    sock: socket.socket
    received: bytes = b""
    number: int = -1
    due_ns: int = 0


@dataclass
class Run:
    """Everything a run has sent and heard."""

    latencies_ns: list[int] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    late_ns_max: int = 0
    elapsed_s: float = 0.0


class HttpGenerator:
    """Plays prepared requests over its connections."""

    def __init__(self, port: int, connection_count: int, requests: list[bytes]) -> None:
        self._requests = requests
        self._next = 0
        self._poll = select.epoll()
        self._connections: dict[int, LoadConnection] = {}
        for _ in range(connection_count):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections[sock.fileno()] = LoadConnection(sock)
            self._poll.register(sock.fileno(), select.EPOLLIN)

    def closed(self, seconds: float) -> Run:
        """Keep every connection busy for that long."""
        run = Run()
        begun = time.perf_counter_ns()
        end = begun + int(seconds * 1e9)
        for connection in self._connections.values():
            self._send(connection, time.perf_counter_ns())
        busy = len(self._connections)
        while busy:
            for descriptor, _ in self._poll.poll(5.0) or _silence():
                connection = self._connections[descriptor]
                if not self._has_answer(connection, run):
                    continue
                now = time.perf_counter_ns()
                if now < end and self._next < len(self._requests):
                    self._send(connection, now)
                else:
                    busy -= 1
        run.elapsed_s = (time.perf_counter_ns() - begun) / 1e9
        return run

    def open(self, rate: float, seconds: float) -> Run:
        """Send at the given rate, whatever the answers do."""
        run = Run()
        free = deque(self._connections.values())
        waiting = deque[int]()
        interval = 1e9 / rate
        total = min(int(rate * seconds), len(self._requests) - self._next)
        begun = time.perf_counter_ns() + 1_000_000
        due_count = answered = 0
        descriptors = list(self._connections)
        while answered < total:
            now = time.perf_counter_ns()
            while due_count < total and begun + due_count * interval <= now:
                waiting.append(int(begun + due_count * interval))
                due_count += 1
            while waiting and free:
                due = waiting.popleft()
                run.late_ns_max = max(run.late_ns_max, time.perf_counter_ns() - due)
                self._send(free.popleft(), due)
            wait = 5.0
            if due_count < total:
                wait = max(0.0, (begun + due_count * interval - time.perf_counter_ns()) / 1e9)
            # select, not epoll: its time-out has microseconds.
            for descriptor in select.select(descriptors, (), (), wait)[0] or _silence(wait < 5.0):
                connection = self._connections[descriptor]
                if self._has_answer(connection, run):
                    answered += 1
                    free.append(connection)
        run.elapsed_s = (time.perf_counter_ns() - begun) / 1e9
        return run

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            connection.sock.close()
        self._poll.close()

    def _send(self, connection: LoadConnection, due_ns: int) -> None:
        connection.number = self._next
        connection.due_ns = due_ns
        connection.sock.send(self._requests[self._next])
        self._next += 1

    def _has_answer(self, connection: LoadConnection, run: Run) -> bool:
        part = connection.sock.recv(RECEIVE_BYTES)
        if not part:
            raise ConnectionError("the door closed a connection")
        received = connection.received + part
        head, found, body = received.partition(_HEAD_END)
        if not found or len(body) < int(head.rpartition(b"Content-Length: ")[2].partition(b"\r\n")[0]):
            connection.received = received
            return False
        connection.received = b""
        run.latencies_ns.append(time.perf_counter_ns() - connection.due_ns)
        run.answers.append((connection.number, received))
        return True


def _silence(is_expected: bool = False) -> list[Any]:
    if not is_expected:
        raise TimeoutError("no answer within 5 s")
    return []


def checked(run: Run, bodies: list[bytes], is_bare: bool) -> int:
    """Parse every answer; return how many orders were accepted; raise if one is not its own."""
    accepted = 0
    order_ids: set[int] = set()
    for number, answer in run.answers:
        head, _, body = answer.partition(_HEAD_END)
        reply = msgspec.json.decode(body)
        if not head.startswith(b"HTTP/1.1 200"):
            continue
        accepted += 1
        if is_bare:
            continue
        asked = msgspec.json.decode(bodies[number])
        if reply["client_order_id"] != asked["client_order_id"]:
            raise AssertionError(f"answer of another order: {asked} {reply}")
        order_ids.add(reply["order_id"])
    if not is_bare and len(order_ids) != accepted:
        raise AssertionError("two orders share an order id")
    return accepted


def main() -> None:
    """Run as the command line says; print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--key", required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: closed loop")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--session", type=int, default=1, help="keeps the client ids of runs apart")
    parser.add_argument("--bare", action="store_true", help="the server is a handler without engine")
    given = parser.parse_args()
    count = int(CLOSED_RATE_MAX * WARM_UP_S + (given.rate or CLOSED_RATE_MAX) * given.seconds) + 1000
    bodies = [order_body(number, given.session) for number in range(count)]
    requests = [http_request(body, given.key) for body in bodies]
    generator = HttpGenerator(given.port, given.connections, requests)
    generator.closed(WARM_UP_S)
    run = generator.open(given.rate, given.seconds) if given.rate else generator.closed(given.seconds)
    generator.close()
    accepted = checked(run, bodies, given.bare)
    result = {
        "commands": len(run.answers),
        "accepted": accepted,
        "throughput_per_s": len(run.answers) / run.elapsed_s,
        **asdict(percentiles(np.array(run.latencies_ns))),
        "late_ns_max": run.late_ns_max,
    }
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")


if __name__ == "__main__":
    main()
