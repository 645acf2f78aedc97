"""A data folder that is moved, removed or replaced under an instance, and those that no start can use."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import pytest

from engine.contract import instance
from engine.contract.latch import LATCH_GONE, LATCH_TEXTS
from tests.system.running import Running, await_true, is_running

Start = Callable[..., Running]
GONE = LATCH_TEXTS[LATCH_GONE]
ORDER = {"account": 1, "symbol": "BTC-USD", "side": "buy", "price": "100.00", "quantity": "1"}


def move(data_dir: Path) -> None:
    data_dir.rename(data_dir.with_name("moved"))


def remove(data_dir: Path) -> None:
    move(data_dir)  # in one step: the database goes on making files in it
    shutil.rmtree(data_dir.with_name("moved"), ignore_errors=True)


def replace_by_file(data_dir: Path) -> None:
    move(data_dir)
    data_dir.write_text("not a folder")


def replace_by_folder(data_dir: Path) -> None:
    move(data_dir)
    data_dir.mkdir(mode=0o700)


def post(orders: str, key: str, client_order_id: int) -> tuple[int, dict[str, Any]]:
    """Enter an order; return status and document."""
    connection = http.client.HTTPConnection(orders.removeprefix("http://"), timeout=20)
    try:
        body = json.dumps(ORDER | {"client_order_id": client_order_id})
        connection.request("POST", "/v1/orders", body, {"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def get(url: str, key: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def said(log: TextIO) -> str:
    """Return the log so far, also when its file has no name any more."""
    log.seek(0)
    return log.read()


def has_said(log: TextIO, text: str) -> bool:
    return text in said(log)


@pytest.mark.parametrize("harm", [move, remove, replace_by_file, replace_by_folder])
def test_an_instance_whose_data_folder_is_gone_accepts_nothing_more_and_says_why(
    start: Start, harm: Callable[[Path], None]
) -> None:
    running = start()
    ready, key = running.await_ready(), running.key
    pids = {each.name: each.pid for each in instance.read(running.data_dir).processes}
    await_true((running.data_dir / "ready" / "postgres").exists, "the database is made, nobody writes else")
    status, entered = post(ready["orders"], key, 1)
    assert (status, entered["status"]) == (200, "open")

    with running.errors.open() as log:
        harm(running.data_dir)
        await_true(lambda: f"{running.data_dir}: {GONE}" in said(log), "the supervisor says so")
        refused_with, problem = post(ready["orders"], key, 2)
        document = get(f"{ready['api']}/v1/status", key)
        for name in ("shadow", "history", "database", "http"):
            with suppress(ProcessLookupError):  # it missed the folder by itself
                os.kill(pids[name], signal.SIGKILL)
            ended = f"{name} (pid {pids[name]}) ended"
            await_true(partial(has_said, log, ended), f"{name} is missed")
        code = running.stop()
        told = said(log)

    assert (refused_with, problem["reason"]) == (503, "latched")
    assert document["latched"] == GONE
    assert not document["ready"]
    assert GONE in document["warning"]
    assert code == 0
    assert "Traceback" not in told, told
    assert told.count(f"{running.data_dir}: {GONE}") == 1
    assert not any(is_running(pid) for pid in pids.values())
    if harm is remove:
        return
    bring_back(running.data_dir)
    again = start()
    ready = again.await_ready()
    status, found = post(ready["orders"], key, 1)
    assert (status, found["order_id"]) == (409, entered["order_id"]), "what was acknowledged is there"
    assert post(ready["orders"], key, 2)[0] == 200, "what was refused is not"
    assert again.stop() == 0


def bring_back(data_dir: Path) -> None:
    if data_dir.is_file():
        data_dir.unlink()
    elif data_dir.is_dir():
        shutil.rmtree(data_dir)
    data_dir.with_name("moved").rename(data_dir)


def test_without_a_journal_trading_goes_on_and_says_what_does_not(start: Start) -> None:
    running = start("--durability", "none")
    ready, key = running.await_ready(), running.key

    with running.errors.open() as log:
        move(running.data_dir)
        await_true(
            lambda: f"{GONE}: the engine goes on, but no process is started" in said(log), "it says so"
        )
        status, _ = post(ready["orders"], key, 1)
        told = get(f"{ready['api']}/v1/status", key)
        code = running.stop()

        assert "Traceback" not in said(log)
    assert status == 200
    assert [each["reason"] for each in told["troubles"]] == ["folder"]
    assert told["troubles"][0]["detail"].endswith(f"{GONE}; stop the instance, bring it back, start again")
    assert code == 0


def file_for_folder(data_dir: Path) -> str:
    data_dir.write_text("not a folder")
    return f"{data_dir}: a file is where a folder should be: remove it, or name another folder"


def file_above(data_dir: Path) -> str:
    data_dir.parent.rmdir()
    data_dir.parent.write_text("not a folder")
    return f"{data_dir.parent}: a file is where a folder should be: remove it, or name another folder"


def epoch_garbage(data_dir: Path) -> str:
    data_dir.mkdir()
    (data_dir / "epoch").write_bytes(b"\xff\xfe")
    return f"{data_dir / 'epoch'} holds no number; remove it and start again"


def epoch_folder(data_dir: Path) -> str:
    (data_dir / "epoch").mkdir(parents=True)
    return f"{data_dir / 'epoch'} cannot be read"


def journal_file(data_dir: Path) -> str:
    data_dir.mkdir()
    (data_dir / "journal").write_text("not a folder")
    return f"{data_dir / 'journal'}: a file is where a folder should be: remove it, or name another folder"


def key_garbage(data_dir: Path) -> str:
    data_dir.mkdir()
    (data_dir / "demo.key").write_bytes(b"\xff\xfe" * 20)
    return f"{data_dir / 'demo.key'}: holds no key; remove the file and start again"


def no_permission(data_dir: Path) -> str:
    data_dir.mkdir(mode=0o000)
    return f"{data_dir / 'supervisor.lock'}: Permission denied"


WITHOUT_POWERS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Root may open everything; this root may not."""


@pytest.mark.parametrize(
    "spoil",
    [file_for_folder, file_above, epoch_garbage, epoch_folder, journal_file, key_garbage,
     no_permission],
)  # fmt: skip
def test_a_folder_that_no_start_can_use_is_named_in_one_line(
    tmp_path: Path, spoil: Callable[[Path], str]
) -> None:
    data_dir = tmp_path / "above" / "data"
    data_dir.parent.mkdir()
    expected = spoil(data_dir)

    done = subprocess.run(
        [*WITHOUT_POWERS, sys.executable, "-m", "pinion.cli.main", "up", "--data", str(data_dir),
         "--order-port", "0", "--api-port", "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode in (1, 2)
    [line] = [each for each in done.stderr.splitlines() if each.startswith("pinion up: ")]
    assert expected in line
    assert "Traceback" not in done.stderr
