"""The folder of a report."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.contract.errors import UsageError
from pinion.parity.answers import FieldDifference, ServiceAnswer
from pinion.parity.ignored import IgnoreList
from pinion.parity.report.folder import Report
from pinion.parity.steps import Compared, Step
from pinion.parity.tally import Tally
from tests.pinion.parity.pairs import paid, pair, pay

EVIL = "<script>alert(1)</script>"


def reported(folder: Path, *different: Compared) -> dict[str, Any]:
    """Write a report of 40 equal pairs and these; return its summary."""
    tally = Tally(IgnoreList())
    with Report(folder) as report:
        for diff in tally.add(Step(40, 1, different, {(None, "OK", "pos", 2): 40})):
            report.add(diff)
        report.finish(tally, {"of": EVIL})
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return summary


def compared(n: int, **fields: Any) -> Compared:
    there, here = paid("x-1"), {**paid("a-2"), **fields}
    differing = [FieldDifference(name, there[name], value) for name, value in fields.items()]
    return Compared(
        pair(n, pay(device=EVIL), there), ServiceAnswer(200, there), ServiceAnswer(200, here), differing
    )


def test_the_figures_add_up_and_say_what_was_covered(tmp_path: Path) -> None:
    summary = reported(tmp_path / "report", compared(7, code="FUNDS", rule="balance"))

    assert [summary[name] for name in ("pairs", "equal", "different", "ignored", "unanswered")] == [
        41,
        40,
        1,
        0,
        1,
    ]
    assert summary["by_codes"] == {"OK>FUNDS": 1}
    assert summary["by_rules"] == {"->balance": 1}
    assert 0.1 < summary["upper_bound_95"] < 0.12
    coverage = summary["coverage"]
    assert (coverage["reached"], coverage["under_30"]) == (1, coverage["cells"] - 1)
    assert [None, "OK", "pos", 2, 40] in coverage["counts"]


def test_each_difference_is_a_line_with_both_bodies(tmp_path: Path) -> None:
    reported(tmp_path / "report", compared(7, code="FUNDS"), compared(9, amount=5))

    lines = [json.loads(line) for line in (tmp_path / "report/diffs.jsonl").read_text().splitlines()]

    assert [(line["n"], line["codes"]) for line in lines] == [(7, "OK>FUNDS"), (9, "OK>OK")]
    assert (lines[0]["old"]["code"], lines[0]["new"]["code"]) == ("OK", "FUNDS")
    assert lines[1]["fields"] == [{"field": "amount", "old": 1000, "new": 5}]


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing_of_a_body(tmp_path: Path) -> None:
    reported(tmp_path / "report", compared(7, code="FUNDS"))

    page = (tmp_path / "report/index.html").read_text()

    assert "<script" not in page
    assert "src=" not in page
    assert "http" not in page
    assert "1 of 41 pairs differ" in page
    assert "&lt;script&gt;" in page


def test_nobody_but_its_owner_reads_a_report(tmp_path: Path) -> None:
    reported(tmp_path / "report")

    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o700


def test_a_report_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    reported(tmp_path / "report")
    before = (tmp_path / "report/summary.json").read_bytes()

    with pytest.raises(UsageError, match="is there already"):
        Report(tmp_path / "report")

    assert (tmp_path / "report/summary.json").read_bytes() == before


def test_a_report_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Report(tmp_path / "report"):
        raise KeyError

    assert list(tmp_path.iterdir()) == []
