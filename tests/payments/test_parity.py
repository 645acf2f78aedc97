"""Replay finds the faults of a plain service and minimise their reason; without a fault nothing differs.

The short form; `python -m tests.payments.parity` is the long one.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pinion.cli.command import DONE, FAILED
from pinion.parity.asking.started import Starter
from tests.payments.captures import Written, written
from tests.payments.parity import SERVICE, Proof, asked, differing

COUNT, FEW = 2000, 120
FAULTS = {"min_exclusive": 4, "bucket_off_by_one": 12}
"""Fault -> how many requests show it at most."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A capture of a few pairs of a service without a fault."""
    return written(tmp_path_factory.mktemp("few"), 0, FEW)


@pytest.fixture
def service(few: Written) -> Iterator[str]:
    """The address of a plain service that was asked nothing yet."""
    with Starter(command(few), ahead=0) as starter, starter.fresh() as started:
        yield started.url


def command(capture: Written, *faults: str) -> str:
    return " ".join([SERVICE, f"--rules {capture.rules}", *(f"--fault {fault}" for fault in faults)])


def replayed(capture: Written, *options: str) -> int:
    return asked("replay", str(capture.capture), "--setup", str(capture.set_up), *options)


def summary(report: Path) -> dict[str, int]:
    return msgspec.json.decode((report / "summary.json").read_bytes())


def test_a_capture_without_a_fault_is_answered_alike(tmp_path: Path) -> None:
    proof = Proof(tmp_path, 0, COUNT)

    assert proof.replay() == DONE
    assert proof.differing() == []
    assert summary(proof.report)["equal"] == summary(proof.report)["pairs"] > COUNT - 20


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_a_few_requests_show_it_alone(tmp_path: Path, fault: str) -> None:
    proof = Proof(tmp_path, 0, COUNT, fault)

    assert proof.replay() == FAILED
    left = proof.minimise(proof.differing()[0])

    assert 1 < left <= FAULTS[fault]
    assert proof.shows_it_alone()


def test_a_service_is_asked_over_http_and_answers_alike(few: Written, service: str, tmp_path: Path) -> None:
    report = tmp_path / "report"

    code = replayed(few, "--against", service, "--report", str(report))

    assert code == DONE
    assert summary(report)["equal"] == summary(report)["pairs"] > FEW - 5


def test_a_fault_of_a_service_is_found_over_http(few: Written, tmp_path: Path) -> None:
    with Starter(command(few, "max_exclusive"), ahead=0) as starter, starter.fresh() as started:
        code = replayed(few, "--against", started.url, "--report", str(tmp_path / "report"))

    assert code == FAILED
    by_codes = msgspec.json.decode((tmp_path / "report/summary.json").read_bytes())["by_codes"]
    assert "OK>AMOUNT_LIMIT" in by_codes


def test_a_service_that_answers_the_same_twice_has_no_noise(few: Written, tmp_path: Path) -> None:
    report = tmp_path / "report"
    options = ("--in-process", "--config", str(few.config), "--noise", command(few), "--report", str(report))

    assert replayed(few, *options) == DONE
    assert msgspec.json.decode((report / "summary.json").read_bytes())["noise"] == []


def test_what_the_old_service_answers_otherwise_than_before_must_be_named(
    few: Written, tmp_path: Path
) -> None:
    ignore = tmp_path / "ignore.toml"
    entries = [
        f'[[ignore]]\nfield = "{name}"\nowner = "payments"\nreason = "limits were changed"\n'
        for name in (
            *("code", "iso", "field", "rule", "decision", "retry", "state", "matched"),
            "approved_amount",
        )
    ]
    ignore.write_text("".join(entries))
    options = ("--in-process", "--config", str(few.config))

    with Starter(command(few, "max_exclusive"), ahead=0) as starter:
        with starter.fresh() as started:
            unnamed = replayed(few, *options, "--noise", started.url)
        with starter.fresh() as started:
            named = replayed(few, *options, "--noise", started.url, "--ignore", str(ignore))

    assert (unnamed, named) == (FAILED, DONE)


def test_boundary_cases_show_what_no_captured_request_came_near(few: Written, tmp_path: Path) -> None:
    faulty = command(few, "month_end_local")
    options = ("--in-process", "--config", str(few.config))

    plain = replayed(few, *options)
    mutated = replayed(few, *options, "--mutate", "--service", faulty, "--report", str(tmp_path / "report"))

    assert (plain, mutated) == (DONE, FAILED)
    by_codes = msgspec.json.decode((tmp_path / "report/summary.json").read_bytes())["by_codes"]
    assert by_codes == {"EXPIRED_CARD>OK": 1}


def test_boundary_cases_of_a_service_without_a_fault_are_answered_alike(few: Written) -> None:
    options = ("--in-process", "--config", str(few.config), "--mutate", "--service", command(few))

    assert replayed(few, *options) == DONE


def test_a_difference_that_the_old_service_does_not_show_again_is_not_minimised(tmp_path: Path) -> None:
    capture = written(tmp_path, 0, FEW, "min_exclusive")
    options = ("--setup", str(capture.set_up), "--config", str(capture.config))
    report = tmp_path / "report"
    asked("replay", str(capture.capture), "--in-process", *options, "--report", str(report))

    code = asked(
        *("minimise", str(capture.capture), "--diff", str(differing(report)[0]), *options),
        *("--service", command(capture), "--out", str(tmp_path / "out")),
    )

    assert code == FAILED
    assert not (tmp_path / "out").exists()
