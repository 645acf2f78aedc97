"""A service that a command starts, afresh each time it is asked for; some are started ahead.

A service takes most of a second to start and a trial a few ms, so while one is asked the next ones start.
"""

import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from engine.contract.errors import UsageError
from pinion.parity.asking.service import Service, ServiceError

PORT = "{port}"
AHEAD = 2
START_S, STOP_S, PAUSE_S = 30.0, 5.0, 0.01
TOLD_BYTES = 400


class _Started(NamedTuple):
    process: subprocess.Popen[bytes]
    port: int
    errors: BinaryIO


class Starter:
    """Starts services for the block, and ends every one with it.

    command : as a shell would split it; `{port}` stands for the port that the service listens on
    key : the bearer key that the service wants
    """

    def __init__(self, command: str, key: str | None = None, ahead: int = AHEAD) -> None:
        if PORT not in command:
            raise UsageError(f"{command!r}: does not say {PORT}; put it where the service is told its port")
        self._command = command
        self._key = key
        self._ahead = ahead
        self._started: deque[_Started] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._started:
            _end(self._started.popleft())

    @contextmanager
    def fresh(self) -> Iterator[Service]:
        """Give the block a service that nobody has asked anything yet."""
        while len(self._started) <= self._ahead:
            self._started.append(self._start())
        started = self._started.popleft()
        try:
            self._wait_for(started)
            with Service(f"http://127.0.0.1:{started.port}", self._key) as service:
                yield service
        finally:
            _end(started)

    def _start(self) -> _Started:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = [word.replace(PORT, str(port)) for word in shlex.split(self._command)]
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the service
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            errors.close()
            raise ServiceError(f"{words[0]}: cannot be started ({error.strerror})") from error
        return _Started(process, port, errors)

    def _wait_for(self, started: _Started) -> None:
        """Wait until the service takes connections."""
        give_up = time.monotonic() + START_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", started.port), PAUSE_S):
                return
            if started.process.poll() is not None or time.monotonic() > give_up:
                started.errors.seek(0)
                said = started.errors.read()[-TOLD_BYTES:].decode(errors="replace").strip()
                raise ServiceError(f"{self._command}: does not listen on port {started.port}: {said}")
            time.sleep(PAUSE_S)


def _end(started: _Started) -> None:
    """End a service and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(started.process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            started.process.wait(STOP_S)
            break
    started.errors.close()
