"""The private store: on a unix socket alone, empty at each start, gone with whoever has started it."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateways.fleet.private_store import end_server, program, start_server
from gateways.fleet.store_place import SOCKET_PATH_BYTES_MAX, private_url, socket_path
from tests.gateways.fleet.servers import StoreServer
from tests.system.running import await_true, is_running


def asked(data_dir: Path, *words: str) -> bytes:
    """Return what the store of a data folder answers."""
    server = StoreServer(data_dir)
    server.path = socket_path(data_dir)
    return server.command(*words)


@pytest.mark.parametrize("name", ["data", "long-" * 25])
def test_it_listens_on_its_socket_alone_and_keeps_nothing(tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / name
    data_dir.mkdir()
    server = start_server(data_dir)
    try:
        await_true(socket_path(data_dir).exists, "the store listens")
        assert asked(data_dir, "SET", "k", "v") == b"+OK\r\n"
        for setting, value in (("port", b"0"), ("save", b""), ("appendonly", b"no")):
            assert asked(data_dir, "CONFIG", "GET", setting).split(b"\r\n")[-2] == value
        assert stat.S_IMODE(socket_path(data_dir).stat().st_mode) == 0o700
    finally:
        end_server(server, data_dir)
    assert not socket_path(data_dir).exists()
    again = start_server(data_dir)
    try:
        await_true(socket_path(data_dir).exists, "the store listens again")
        assert asked(data_dir, "GET", "k") == b"$-1\r\n"
    finally:
        end_server(again, data_dir)


def test_it_dies_with_the_process_that_has_started_it(tmp_path: Path) -> None:
    source = (
        "import pathlib, sys, time; from gateways.fleet.private_store import start_server; "
        "print(start_server(pathlib.Path(sys.argv[1])).pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    pid = int(parent.stdout.readline())
    assert is_running(pid)

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()

    await_true(lambda: not is_running(pid) or is_zombie(pid), "the store is gone")


def is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and nobody has asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("length", [20, 200])
def test_its_socket_has_a_path_that_fits(length: int) -> None:
    path = socket_path(Path("/data") / ("x" * length))

    assert len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX
    assert private_url(Path("/data") / ("x" * length)) == f"unix://{path}"
    assert (path.parent == Path("/data") / ("x" * length)) == (length == 20)


def test_the_program_is_that_of_the_wheel() -> None:
    assert program().name == "valkey-server"
    assert os.access(program(), os.X_OK)
