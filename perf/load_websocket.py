"""A load generator for the WebSocket session, in a process of its own: a raw socket, frames made beforehand.

    python -m perf.load_websocket PORT --key KEY --seconds 5 [--window 1024] [--rate 10000]

One command a frame. Closed loop: at most `window` commands are on their way; whatever the door
has answered is replaced at once. Open loop: command i is due at start + i / rate and its latency
counts from then. Every answer is parsed after the clock has stopped and must be the reply to its
own request, with its own client id; no two may share an order id. Pushed reports are counted.
"""

import argparse
import base64
import os
import select
import socket
import sys
import time
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from perf.histogram import percentiles
from perf.load_http import order_body

RECEIVE_BYTES = 2**18
TIMEOUT_S = 5.0
WARM_UP_S = 0.5
CLOSED_RATE_MAX = 100_000
"""Commands a second for which a closed loop is prepared."""
SHORT, LONG = 126, 127


def masked_frame(text: bytes, mask: bytes) -> bytes:
    """Return a text frame as a client sends it (RFC 6455, section 5.2)."""
    length = len(text)
    head = bytes((0x81, 0x80 | length)) if length < SHORT else b"\x81\xfe" + length.to_bytes(2, "big")
    padded = np.frombuffer(text.ljust(-(-length // 4) * 4, b"\0"), "<u4") ^ np.frombuffer(mask, "<u4")
    body: bytes = padded.tobytes()[:length]
    return head + mask + body


def session_frame(number: int, session: int) -> bytes:
    """Return order `number` of the flow as a frame; its request id is the number."""
    text = b'{"id":%d,"op":"new",%b' % (number, order_body(number, session)[1:])
    return masked_frame(text, os.urandom(4))


def connect(port: int, key: str) -> socket.socket:
    """Open the session."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    nonce = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        (
            f"GET /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {nonce}\r\n\r\n"
        ).encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = sock.recv(4096)
        if not part:
            raise ConnectionError("the door refused the session")
        answer += part
    if not answer.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(answer.decode("utf-8", "replace"))
    return sock


class WebSocketGenerator:
    """Plays prepared frames over one session."""

    def __init__(self, sock: socket.socket, frames: list[bytes]) -> None:
        self._sock = sock
        self._frames = frames
        self._sent = 0
        self._rest = b""
        self.answers: list[tuple[bytes, int]] = []

    def closed(self, seconds: float, window: int) -> tuple[int, float]:
        """Keep the window full for that long; return (commands, seconds until all were answered)."""
        first = self._sent
        begun = time.perf_counter_ns()
        end = begun + int(seconds * 1e9)
        answered = 0
        while True:
            on_their_way = self._sent - first - answered
            # Half a window at a time: the system calls are shared by many frames.
            if on_their_way <= window // 2 and time.perf_counter_ns() < end:
                self._send(window - on_their_way)
            elif on_their_way == 0:
                return answered, (time.perf_counter_ns() - begun) / 1e9
            answered += self._receive()

    def open(self, rate: float, seconds: float) -> tuple[int, float]:
        """Send at the given rate; return (commands, seconds until all were answered)."""
        first = self._sent
        total = int(rate * seconds)
        interval = 1e9 / rate
        self.begun = begun = time.perf_counter_ns() + 1_000_000
        answered = 0
        while answered < total:
            now = time.perf_counter_ns()
            due = min(total, int((now - begun) / interval) + 1 if now >= begun else 0)
            if due > self._sent - first:
                self._send(due - (self._sent - first))
            wait = TIMEOUT_S
            if self._sent - first < total:
                wait = max(0.0, (begun + (self._sent - first) * interval - time.perf_counter_ns()) / 1e9)
            if select.select((self._sock,), (), (), wait)[0]:
                answered += self._receive()
            elif wait == TIMEOUT_S:
                raise TimeoutError("no answer within 5 s")
        return answered, (time.perf_counter_ns() - begun) / 1e9

    def _send(self, count: int) -> None:
        batch = self._frames[self._sent : self._sent + count]
        if len(batch) < count:
            raise RuntimeError("too few frames were prepared")
        self._sock.sendall(b"".join(batch))
        self._sent += count

    def _receive(self) -> int:
        """Take what has come; return how many of it were replies."""
        data = self._sock.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionError("the door ended the session")
        now = time.perf_counter_ns()
        if self._rest:
            data = self._rest + data
        at, size, replies = 0, len(data), 0
        while at + 4 <= size:
            length = data[at + 1]
            start = at + 2
            if length == SHORT:
                length = int.from_bytes(data[at + 2 : at + 4], "big")
                start = at + 4
            elif length == LONG:
                length = int.from_bytes(data[at + 2 : at + 10], "big")
                start = at + 10
            if start + length > size:
                break
            if data[at] == 0x81:
                text = data[start : start + length]
                self.answers.append((text, now))
                replies += text.startswith(b'{"id"')
            at = start + length
        self._rest = data[at:]
        return replies


def checked(answers: list[tuple[bytes, int]], session: int) -> tuple[int, int]:
    """Parse every answer; return (orders accepted, reports); raise if one is not its own."""
    accepted = reports = 0
    order_ids: set[int] = set()
    for text, _ in answers:
        message: dict[str, Any] = msgspec.json.decode(text)
        if "report" in message:
            reports += 1
            continue
        reply = message.get("reply")
        if reply is None:
            continue
        accepted += 1
        if reply["client_order_id"] != session * 2**32 + message["id"] + 1:
            raise AssertionError(f"reply to another request: {message}")
        order_ids.add(reply["order_id"])
    if len(order_ids) != accepted:
        raise AssertionError("two orders share an order id")
    return accepted, reports


def main() -> None:
    """Run as the command line says; print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--key", required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--window", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=0.0, help="commands a second; 0: closed loop")
    parser.add_argument("--session", type=int, default=1, help="keeps the client ids of runs apart")
    given = parser.parse_args()
    count = (
        int(CLOSED_RATE_MAX * WARM_UP_S + (given.rate or CLOSED_RATE_MAX) * given.seconds) + 4 * given.window
    )
    generator = WebSocketGenerator(
        connect(given.port, given.key), [session_frame(number, given.session) for number in range(count)]
    )
    generator.closed(WARM_UP_S, min(given.window, 64) if given.rate else given.window)
    before = len(generator.answers)
    if given.rate:
        answered, elapsed = generator.open(given.rate, given.seconds)
    else:
        answered, elapsed = generator.closed(given.seconds, given.window)
    result: dict[str, Any] = {"commands": answered, "throughput_per_s": answered / elapsed}
    if given.rate:
        result |= latencies(generator, before, given.rate)
    result["accepted"], result["reports"] = checked(generator.answers[before:], given.session)
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")


def latencies(generator: WebSocketGenerator, before: int, rate: float) -> dict[str, float]:
    """Return the latencies of an open run, from the moment each command was due."""
    heard = [(text, at) for text, at in generator.answers[before:] if text.startswith(b'{"id"')]
    numbers = np.array([int(text[6 : text.index(b",")]) for text, _ in heard])
    due = generator.begun + (numbers - numbers.min()) * (1e9 / rate)
    return asdict(percentiles(np.array([at for _, at in heard]) - due))


if __name__ == "__main__":
    main()
