"""`pinion payments rules check`: what it prints, and how it ends."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.payments.name import PAYMENTS
from engine.payments.records import COMMAND
from engine.payments.rules.vocabulary import FIELDS
from pinion.cli.journal.data import remember
from pinion.cli.main import main
from pinion.cli.payments.user_rules.generated_requests import generated_requests
from pinion.cli.payments.user_rules.journaled_requests import journaled_requests
from tests.engine.payments.building import T0, pay
from tests.engine.payments.random_flow import first_commands
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal import small_journal
from tests.pinion.cli.journal.subjects import PAYMENTS as SUBJECT

IMPORTS = "from pinion import rule, DECLINE, REVIEW, STEP_UP, ECOM, country\n"
NIGHT = """
@rule("round_night", code="USER_RULE", action=DECLINE, params={"max": 50000})
def round_night(p, ctx, params):
    hour = p.ts_ms // 3600000 % 24
    return hour < 5 and p.amount > params.max and p.amount % 10000 == 0
"""
ABROAD = """
@rule("abroad", code="REVIEW", action=REVIEW)
def abroad(p, ctx, params):
    return p.ip_country != -1 and p.ip_country != country("DE")


@rule("shopping", code="SCA_REQUIRED", action=STEP_UP)
def shopping(p, ctx, params):
    return p.channel == ECOM and not p.sca
"""
BAD = """
@rule("hoarder", code="USER_RULE", action=DECLINE)
def hoarder(p, ctx, params):
    seen = []
    return len(seen) > 3


@rule("racer", code="USER_RULE", action=DECLINE)
def racer(p, ctx, params):
    return ctx.account_sum_24h * p.amount > 5
"""
SLOW = """
@rule("slow", code="USER_RULE", action=DECLINE)
def slow(p, ctx, params):
    x = p.amount
    for _ in range(64):
        x = (x * 31 + p.op) % 1000003
        x = (x * 37 + p.op) % 1000033
        x = (x * 41 + p.op) % 1000037
        x = (x * 43 + p.op) % 1000039
        x = (x * 47 + p.op) % 1000081
        x = (x * 53 + p.op) % 1000099
    return x == 7
"""


def file(tmp_path: Path, name: str, *rules: str) -> str:
    """Write a file of rules; return its path."""
    path = tmp_path / name
    path.write_text(IMPORTS + "".join(rules))
    return str(path)


def check(*files: str) -> int:
    return main(["payments", "rules", "check", *files], BOTH)


def test_its_help_says_what_it_does_and_how_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["payments", "rules", "check", "--help"])

    shown = " ".join(capsys.readouterr().out.split())
    assert ending.value.code == 0
    assert shown.startswith("usage: pinion payments rules check [-h] [--data DIR] FILE [FILE ...]")
    assert "at most 200 ns" in shown
    assert "0 every rule is taken, 1 some rule is not" in shown


def test_good_rules_are_shown_with_what_they_match_and_cost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = check(file(tmp_path, "night.py", NIGHT), file(tmp_path, "abroad.py", ABROAD))

    head, *rows, last = capsys.readouterr().out.splitlines()
    assert code == 0
    assert re.split(r"  +", head) == ["rule", "action", "matched of 10,000", "ns"]
    cells = [re.split(r"  +", row.strip()) for row in rows]
    assert [row[:2] for row in cells] == [
        ["round_night", "DECLINE"], ["abroad", "REVIEW"], ["shopping", "STEP_UP"],
    ]  # fmt: skip
    assert all(0 < int(row[2].replace(",", "")) < 10_000 for row in cells)
    assert all(0 < float(row[3]) <= 200 for row in cells)
    assert re.search(r"set [0-9a-f]{64}$", last)


def test_bad_rules_end_with_1_and_every_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "bad.py", NIGHT, BAD)

    code = check(path)

    shown = capsys.readouterr()
    hoarder, racer = shown.err.splitlines()
    assert code == 1
    assert shown.out == ""
    assert hoarder.startswith(f"{path}:10: rule hoarder: a rule cannot have a list")
    assert racer.startswith(f"{path}:16: rule racer: ctx.account_sum_24h * p.amount can leave 64 bits")


def test_a_slow_rule_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = check(file(tmp_path, "slow.py", SLOW))

    shown = capsys.readouterr()
    assert code == 1
    assert "rule slow: takes" in shown.err
    assert "slow" in shown.out


def test_names_are_those_of_one_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = NIGHT.replace('"round_night"', '"card_1m"')

    code = check(file(tmp_path, "a.py", NIGHT), file(tmp_path, "b.py", NIGHT), file(tmp_path, "c.py", base))

    twice, taken = capsys.readouterr().err.splitlines()
    assert code == 1
    assert "b.py:4: rule round_night: " in twice
    assert "a.py:4 has a rule of this name" in twice
    assert "card_1m is the name of a rule that is built in" in taken


def test_a_file_that_cannot_be_read_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.py").write_bytes(b"# \xe4")

    assert check(str(tmp_path / "none.py")) == 1
    assert "none.py: No such file or directory" in capsys.readouterr().err
    assert check(str(tmp_path / "latin.py")) == 1
    assert "latin.py: is no text in UTF-8 (byte 2)" in capsys.readouterr().err


def journal_of(folder: Path, commands: list[Any]) -> Path:
    remember(folder, PAYMENTS, SUBJECT.small, BOTH)
    small_journal.append(folder, [np.array([each], COMMAND) for each in commands])
    return folder


def test_rules_are_tried_on_the_requests_of_a_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paid = [pay(number, T0 + number, amount=60_000 if number % 4 == 0 else 5) for number in range(40)]
    data = journal_of(tmp_path / "data", [*first_commands(), *paid])
    rule = file(tmp_path, "large.py", NIGHT.replace("hour < 5 and p.amount >", "hour < 24 and p.amount >"))

    assert check(rule, "--data", str(data)) == 0

    shown = capsys.readouterr()
    assert re.search(r"round_night +DECLINE +2,500 ", shown.out), "one of four, of 10,000"
    assert "the journal has 40 requests, which are repeated to 10,000" in shown.err


def test_the_last_requests_of_a_journal_are_taken_at_the_time_that_they_were_decided_at(
    tmp_path: Path,
) -> None:
    paid = [pay(number, T0 + 7 * number if number % 2 else -1) for number in range(1, 30)]
    data = journal_of(tmp_path / "data", [*first_commands(), *paid])

    rows = journaled_requests(data, 5, BOTH)

    at = list(FIELDS).index("ts_ms")
    assert len(rows) == 5
    assert rows[:, at].tolist() == [T0 + 7 * number for number in (25, 25, 27, 27, 29)]
    assert len(journaled_requests(data, 100, BOTH)) == 29


def test_a_journal_without_requests_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = journal_of(tmp_path / "data", first_commands())

    assert check(file(tmp_path, "night.py", NIGHT), "--data", str(data)) == 1
    assert "has no authorise and no sale; leave --data out" in capsys.readouterr().err


def test_generated_requests_lie_within_the_ranges_that_the_check_relies_on() -> None:
    rows = generated_requests(1, 2_000)

    for (least, most), column in zip(FIELDS.values(), rows.T, strict=True):
        assert least <= column.min()
        assert column.max() <= most


def test_generated_requests_are_the_same_each_time() -> None:
    assert (generated_requests(1, 300) == generated_requests(1, 300)).all()
    assert (generated_requests(1, 300) != generated_requests(2, 300)).any()


def test_generated_requests_reach_what_rules_ask_for() -> None:
    rows = generated_requests(1, 5_000)

    distinct = {name: len(set(column.tolist())) for name, column in zip(FIELDS, rows.T, strict=True)}
    assert {name for name, count in distinct.items() if count == 1} <= {"explain"}
    moments = rows[:, list(FIELDS).index("ts_ms")]
    assert (moments[1:] >= moments[:-1]).all()
