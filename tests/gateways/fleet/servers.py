"""Stores of their own processes on unix sockets: the wheel's Valkey, and a Redis where one is installed."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.fleet.private_store import program

START_S_MAX = 20.0


def programs() -> dict[str, Path]:
    """Return the servers of this machine: `valkey` always, `redis` where `redis-server` is on the path."""
    found = shutil.which("redis-server")
    return {"valkey": program(), **({"redis": Path(found)} if found else {})}


def said_of_redis() -> str:
    """Say whether a Redis takes part in tests."""
    if "redis" in programs():
        return "stores: tried with valkey and redis"
    return "stores: tried with valkey alone, for no redis-server is on the path"


class StoreServer:
    """A server of nothing but a unix socket; what it holds ends with it."""

    def __init__(self, folder: Path, which: str = "valkey") -> None:
        self.path = folder / "s.sock"
        self.which = which
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self.path}"

    def start(self) -> None:
        """Start it, with nothing in it; return once it takes connections."""
        self.path.unlink(missing_ok=True)
        options = ("--port", "0", "--unixsocket", str(self.path), "--save", "", "--appendonly", "no")
        command = [str(programs()[self.which]), *options, "--dir", str(self.path.parent)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S_MAX
        while not self._answers():
            assert self._process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.path))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    def command(self, *words: str) -> bytes:
        """Send it one command; return the beginning of the answer."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.path))
            client.sendall(b" ".join(word.encode() for word in words) + b"\r\n")
            return client.recv(4096)

    def stop(self) -> None:
        """End it, however it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.path.unlink(missing_ok=True)


@contextmanager
def running_store(folder: Path, which: str = "valkey") -> Iterator[StoreServer]:
    """Yield a server that runs for the block."""
    server = StoreServer(folder, which)
    try:
        server.start()
        yield server
    finally:
        server.stop()
