"""Plays prepared HTTP requests over raw sockets and times the answers, which are looked at afterwards.

Closed loop: each connection sends as soon as it has its answer. Open loop: request i is due at
start + i / rate whatever the answers do; its latency counts from then, so a stall is charged to every
request that should have been sent meanwhile. No request is pipelined.
"""

import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

RECEIVE_BYTES = 65536
HEAD_END = b"\r\n\r\n"
"""Behind it the body begins."""


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

    def __init__(self, address: tuple[str, int], connection_count: int, requests: list[bytes]) -> None:
        self._requests = requests
        self._next = 0
        self._poll = select.epoll()
        self._connections: dict[int, LoadConnection] = {}
        for _ in range(connection_count):
            sock = socket.create_connection(address)
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
        head, found, body = received.partition(HEAD_END)
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
