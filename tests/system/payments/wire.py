"""Raw bytes to the door of an instance, and what comes back: for requests that no library would send."""

import json
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from engine.contract import instance

HEAD_END = b"\r\n\r\n"
CONTINUE = 100
BODILESS = (CONTINUE, 204, 304)
QUIET_S = 0.05
"""How long more is waited for behind what came."""


class Response(NamedTuple):
    """One response out of a stream."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """What the body says; it is JSON."""
        return json.loads(self.body)


def address_of(data_dir: Path) -> tuple[str, int]:
    """Return where the door of an instance listens now."""
    host, _, port = instance.read(data_dir).doors["payments"].removeprefix("http://").rpartition(":")
    return host, int(port)


def exchange(
    address: tuple[str, int], parts: Sequence[bytes], wait_s: float = 60.0, *, is_one: bool = True
) -> tuple[bytes, bool]:
    """Send bytes, part by part; return what came back, and whether the door closed the connection.

    wait_s : how long an answer is waited for
    is_one : whether there is one answer; else more is waited for behind the first
    """
    received = b""
    with socket.create_connection(address, timeout=30.0) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):  # it may be closed before all is sent
            for part in parts:
                connection.sendall(part)
        give_up = time.monotonic() + wait_s
        while (left := give_up - time.monotonic()) > 0 and not (is_one and _is_whole(received)):
            connection.settimeout(left)
            try:
                chunk = connection.recv(2**16)
            except TimeoutError:
                break
            except OSError:
                chunk = b""
            if not chunk:
                return received, True
            received += chunk
            if not is_one:
                give_up = time.monotonic() + QUIET_S
    return received, False


def _is_whole(received: bytes) -> bool:
    """Tell whether there is a final response with all of its body."""
    try:
        return any(each.status != CONTINUE for each in responses_of(received))
    except ValueError:
        return False


def responses_of(data: bytes, to_head: bool = False) -> list[Response]:
    """Return the responses in what a door has sent; ValueError where that is none.

    to_head : the first is the answer to a HEAD, which has no body where the request could be read
    """
    found = []
    while data:
        head, end, data = data.partition(HEAD_END)
        if not end:
            raise ValueError(f"a head does not end: {head[:200]!r}")
        first, *lines = head.decode("ascii").split("\r\n")
        version, status, _ = first.split(" ", 2)
        if version != "HTTP/1.1" or len(status) != 3:
            raise ValueError(f"no status line: {first!r}")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        is_bare = int(status) in BODILESS or (to_head and (not data or data.startswith(b"HTTP/")))
        length = 0 if is_bare else int(headers["content-length"])
        if len(data) < length:
            raise ValueError(f"{len(data)} bytes of a body of {length}: {first!r}")
        found.append(Response(int(status), headers, data[:length]))
        data, to_head = data[length:], False
    return found
