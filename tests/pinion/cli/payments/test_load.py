"""`pinion payments load`: against the bare handler, which takes payments too."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from perf.bare_http import bare_server
from perf.load_payments import LoadResult, Plan
from pinion.cli.main import main
from pinion.cli.payments.load import differences, is_beyond, tell, with_rate

QUICK = ["--rate", "100", "--seconds", "0.5", "--connections", "2", "--cards", "20"]


def result(p99_ns: float = 2e6, errors: Mapping[str, int] = MappingProxyType({"BUSY": 1})) -> LoadResult:
    return LoadResult(
        requests=10, offered_per_s=10.0, throughput_per_s=10.0, mean_ns=1e6, p50_ns=1e6, p99_ns=p99_ns,
        p999_ns=3e6, max_ns=4e6, late_ns_max=5.0, codes={"OK": 9, "BUSY": 1}, errors=dict(errors),
        stalls={"p50_ns": 1e4, "p99_ns": 2e4, "p999_ns": 3e4, "max_ns": 4e4},
    )  # fmt: skip


def test_a_load_is_played_to_a_door_and_to_a_bare_handler(capsys: pytest.CaptureFixture[str]) -> None:
    with bare_server() as port:
        url = ["--to", f"http://127.0.0.1:{port}", "--key", "bare-handler-takes-any"]
        code = main(["payments", "load", *url, *QUICK, "--bare", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["requests"], told["codes"], told["errors"]) == (50, {"OK": 50}, {})
    assert told["bare"]["requests"] == 50
    assert told["difference"]["p50_ns"] == pytest.approx(told["p50_ns"] - told["bare"]["p50_ns"], abs=1)


def test_each_step_of_a_curve_has_a_rate_and_ids_of_its_own() -> None:
    plan = Plan(
        host="h", port=1, key="k", run="r", shift=5, rate=100.0, seconds=1.0, connections=1, merchants=1,
        accounts=1, cards=1,
    )  # fmt: skip

    steps = [with_rate(plan, 100.0 * 2**step, step) for step in range(3)]

    assert [step.rate for step in steps] == [100.0, 200.0, 400.0]
    assert len({step.run for step in steps}) == len({step.shift for step in steps}) == 3


def test_a_curve_ends_at_errors_and_at_three_times_the_first_tail() -> None:
    first = result(p99_ns=1e6, errors={})

    assert not is_beyond(first, first)
    assert not is_beyond(result(p99_ns=3e6, errors={}), first)
    assert is_beyond(result(p99_ns=3.1e6, errors={}), first)
    assert is_beyond(result(p99_ns=1e6, errors={"BUSY": 1}), first)


def test_people_are_told_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    tell(result(), result(p99_ns=5e5), is_json=False)

    shown = capsys.readouterr().out
    assert "\ndoor               1.000       2.000       3.000       4.000\n" in shown
    assert "\ndifference         0.000       1.500       0.000       0.000\n" in shown
    assert "BUSY 1  OK 9\nerrors: {'BUSY': 1}\n" in shown
    assert differences(result(), result(p99_ns=5e5))["p99_ns"] == 1.5e6


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--to", "http://127.0.0.1"], "--to 'http://127.0.0.1': give http://HOST:PORT"),
        (["--to", "https://127.0.0.1:1"], "--to 'https://127.0.0.1:1'"),
        (["--to", "http://127.0.0.1:1"], "demo.key: cannot be read"),
    ],
)
def test_a_door_that_cannot_be_meant_is_wrong_usage(
    given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["payments", "load", *given, "--data", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_on_which_nothing_runs_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["payments", "load", "--data", str(tmp_path)]) == 1
    assert "no instance runs on" in capsys.readouterr().err
