"""How an instance is stopped: by a closed terminal too, as a service without streams, and not under nohup."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.contract import instance
from engine.runtime.shared_memory import segment_names
from pinion.cli.kernels import BEGINNING
from ringbuf.kernel_cache import ROOT
from tests.system.running import await_true, is_running

WAIT_S = 300.0
SIGHUP_BIT = 1 << (signal.SIGHUP - 1)


@contextmanager
def background(data_dir: Path, line: str, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a line of shell that becomes `pinion up` on a folder; whatever happens, nothing is left of it."""
    ports = ["--api-port", "0", "--order-port", "0"]
    command = shlex.join([sys.executable, "-m", "pinion.cli.main", "up", "--data", str(data_dir), *ports])
    line = line.replace("PINION", command)
    process = subprocess.Popen(["bash", "-c", line], cwd=ROOT, env={**os.environ, **environment})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for name in segment_names(data_dir).values():
            Path("/dev/shm", name).unlink(missing_ok=True)


def await_announced(data_dir: Path) -> instance.Instance:
    """Wait until every process of the instance is announced, as there is no ready line to read."""

    def is_whole() -> bool:
        with suppress(instance.PortError):
            return {"history", "api", "http"} <= {each.name for each in instance.read(data_dir).processes}
        return False

    await_true(is_whole, "all processes", WAIT_S)
    return instance.read(data_dir)


def ignored_signals(pid: int) -> int:
    """Return the mask of the signals that a process ignores."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("SigIgn:")).split()[1], 16)


def test_service_without_streams_keeps_files_off_their_numbers_and_stops_on_hangup(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"

    with background(data_dir, "exec PINION <&- >&- 2>&-") as process:
        pids = [each.pid for each in await_announced(data_dir).processes]
        streams = {os.readlink(f"/proc/{pid}/fd/{number}") for pid in pids for number in (0, 1, 2)}
        process.send_signal(signal.SIGHUP)
        code = process.wait(WAIT_S)

    assert streams == {"/dev/null"}
    assert code == 0
    assert not any(is_running(pid) for pid in pids)


def test_hangup_that_was_ignored_at_the_start_stays_ignored(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"

    with background(data_dir, "trap '' HUP; exec PINION >/dev/null") as process:
        pids = [each.pid for each in await_announced(data_dir).processes]
        ignored = [ignored_signals(pid) & SIGHUP_BIT for pid in pids]
        process.send_signal(signal.SIGTERM)
        code = process.wait(WAIT_S)

    assert ignored == [SIGHUP_BIT] * len(pids)
    assert code == 0


def test_demo_stops_its_instance_and_feeder_on_hangup(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    orders = tmp_path / "orders"
    orders.write_text('{"op":"mass_cancel","account":1,"symbol":null,"side":null}\n')
    command = [
        sys.executable,
        "-m",
        "pinion.cli.instance.demo",
        "--feed",
        str(orders),
        "--data",
        str(data_dir),
    ]
    command += ["--api-port", "0", "--order-port", "0"]

    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            shown = iter(process.stdout.readline, "")
            assert any(line.startswith("the file is played") for line in shown)
            pids = [each.pid for each in instance.read(data_dir).processes]
            process.send_signal(signal.SIGHUP)
            code = process.wait(WAIT_S)
        finally:  # in order, where something went wrong: only the demo itself knows its children
            process.terminate()

    assert code == 0
    assert not any(is_running(pid) for pid in pids)


def test_a_stop_while_kernels_are_compiled_is_obeyed_before_they_are(tmp_path: Path) -> None:
    data_dir, cache, said = tmp_path / "data", tmp_path / "cache", tmp_path / "said"

    with background(data_dir, f"exec PINION 2>{said}", PINION_KERNEL_CACHE=str(cache)) as process:
        await_true(lambda: said.exists() and BEGINNING in said.read_text(), "the first kernel", WAIT_S)
        process.send_signal(signal.SIGTERM)
        code = process.wait(WAIT_S)

    assert code == 0
    assert said.read_text().splitlines()[-1] == "stopped while kernels were compiled: the next start goes on"
    assert not (data_dir / "instance.json").exists()
    assert not any(Path("/dev/shm", name).exists() for name in segment_names(data_dir).values())
