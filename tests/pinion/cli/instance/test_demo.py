"""`make run` reads the beginning of its file before it starts anything."""

import argparse
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.runtime.supervision.supervisor import STOP_WAIT_S_MAX
from pinion.cli.instance import demo
from tests.gateways.files.venue_files import dbn_bytes


@pytest.mark.parametrize(
    ("content", "options", "code", "said"),
    [
        (None, [], 1, "No such file"),
        (b'{"op":', [], 1, "line 1: line"),
        (dbn_bytes([[("A", "B", 7, 400, 3)]]), ["--tick", "ESX4=0.25"], 2, "it has ESH4"),
        (dbn_bytes([[("A", "B", 7, 400, 3)]]), ["--tick", "ESH4"], 2, "give SYMBOL=SIZE"),
    ],
)
def test_file_that_cannot_be_played_is_refused_at_once(
    tmp_path: Path, content: bytes | None, options: list[str], code: int, said: str
) -> None:
    path = tmp_path / "input"
    if content is not None:
        path.write_bytes(content)

    command = [sys.executable, "-m", "pinion.cli.instance.demo", "--feed", str(path), *options]
    result = subprocess.run([*command, "--data", str(tmp_path / "data")], capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (code, "")
    assert said in result.stderr
    assert not (tmp_path / "data").exists()


SLOW = f"""
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep({demo.TELL_AFTER_S + 1}), sys.exit(0)))
print("ready", flush=True)
time.sleep(600)
"""


def test_a_stop_that_takes_long_is_told_and_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        demo.stop(process, "the slow one", demo.UP_STOP_S)

    assert process.returncode == 0
    assert f"waiting for the slow one (pid {process.pid})" in capsys.readouterr().err
    assert demo.UP_STOP_S > STOP_WAIT_S_MAX


def test_pipe_is_left_to_the_feeder(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b'{"op":"session_end"}',))
    writer.start()

    demo.refuse_unreadable(argparse.Namespace(feed=str(pipe), tick=[]))

    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # where all was read, nobody writes any more
    writer.join()
    left = os.read(reader, 100)
    os.close(reader)
    assert left == b'{"op":"session_end"}'
