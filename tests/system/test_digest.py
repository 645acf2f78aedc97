"""The whole states of worker and shadow compared while an instance runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.contract import instance
from engine.contract.instance import dtype_of
from pinion.cli.journal.data import application_of, open_journal
from pinion.cli.main import main
from ringbuf import segment
from ringbuf.segment import Kind
from tests.system.running import Running
from tests.system.test_up import order, post


def asked(running: Running, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return exit code and output of `pinion digest`."""
    capsys.readouterr()
    code = main(["digest", "--data", str(running.data_dir)])
    said = capsys.readouterr()
    return code, said.out + said.err


def digest_at(data_dir: Path, seq: int) -> str:
    """Return the digest of the state that the journal gives at seq."""
    replica, reader = open_journal(data_dir)
    for records, epoch, _ in reader.stretches(seq):
        replica.enter_epoch(epoch)
        replica.skip(records[records["seq"] <= seq])
    assert replica.seq == seq
    return application_of(data_dir).digest(replica.state)


def test_it_is_that_of_the_journal_replayed_and_a_difference_is_named(
    start: Callable[..., Running], capsys: pytest.CaptureFixture[str]
) -> None:
    running = start()
    ready = running.await_ready()
    for number in (1, 2, 3):
        post(running, "/v1/orders", order(number), ready["orders"])

    code, said = asked(running, capsys)
    assert code == 0
    answer = json.loads(said)
    assert digest_at(running.data_dir, answer["seq"]) == answer["digest"]

    found = instance.read(running.data_dir)
    name, dtype = found.segments["state"], dtype_of(found.state_fields)
    with segment.attach(name, Kind.STATE, dtype) as state:
        state.slots[0]["balances"][1]["total"] += 1
        code, said = asked(running, capsys)
        assert code == 1
        assert "worker and shadow differ: see the log" in said
        state.slots[0]["balances"][1]["total"] -= 1
    assert "the state differs, first in balances" in running.errors.read_text()
    assert not (running.data_dir / "digest.asked").exists()


def test_without_an_instance_or_a_shadow_it_says_so(
    start: Callable[..., Running], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["digest", "--data", str(tmp_path / "nothing")]) == 1
    assert "no instance runs on" in capsys.readouterr().err
    running = start("--durability", "none")
    running.await_ready()
    code, said = asked(running, capsys)
    assert code == 1
    assert "runs with durability none and has no shadow" in said
