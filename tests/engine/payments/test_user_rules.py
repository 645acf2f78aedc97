"""User rules within a decision: where they stand, what they ask for, params of a merchant, their sources."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.payments.codes import Code
from engine.payments.command_words import MERCHANT_WORDS, PART_BEGINS
from engine.payments.kernels.digest import digest
from engine.payments.records import (
    USER_RULE_FIRST,
    WANTS_EXPLANATION,
    WANTS_PARTIAL,
    CheckResult,
    Decision,
    EventKind,
    Op,
    Rule,
)
from engine.rules.loader import offer
from engine.rules.params import param_key
from engine.rules.store import write_source
from engine.trials.records import Act
from tests.engine.payments.building import NAME, Engine, command, merchant, pay, ruleset, trial
from tests.engine.payments.user_rules import FIVES, HUNDREDS, MISSING, ODD, RULES, SEVENS, TEXT, commands


@pytest.fixture
def engine() -> Engine:
    """An engine that is governed by TEXT."""
    made = Engine()
    number = made.one(ruleset(source=offer(RULES)))["payment"]
    assert made.one(command(Op.ACTIVATE, payment=number))["code"] == Code["OK"]
    return made


def said(event: Any) -> tuple[str, int, set[int]]:
    """Return code, rule and user rules that matched."""
    bits = int(event["user_matched"])
    return Code(int(event["code"])).name, int(event["rule"]), {each for each in range(4) if bits >> each & 1}


@pytest.mark.parametrize(
    ("amount", "code", "rule", "matched"),
    [
        (1000, "OK", None, set()),
        (1001, "REVIEW", ODD, {ODD}),
        (2010, "SCA_REQUIRED", FIVES, {FIVES}),
        (2015, "SCA_REQUIRED", FIVES, {ODD, FIVES}),
        (5600, "USER_RULE", SEVENS, {SEVENS}),
        (5005, "USER_RULE", SEVENS, {SEVENS}),
        (9100, "USER_RULE", SEVENS, {SEVENS}),
        (9200, "USER_RULE", HUNDREDS, {FIVES, HUNDREDS}),
    ],
)
def test_the_first_of_the_winning_severity_names_code_and_rule(
    engine: Engine, amount: int, code: str, rule: int | None, matched: set[int]
) -> None:
    event = engine.one(pay(1, amount=amount))

    assert said(event) == (code, 0 if rule is None else USER_RULE_FIRST + rule, matched)
    assert event["field"] == 0
    again = engine.one(pay(1, amount=amount))
    assert (again["replayed"], said(again)) == (1, said(event)), "what is remembered says the same"


def test_an_explanation_has_every_rule_that_matched(engine: Engine) -> None:
    event = engine.one(pay(1, amount=9800, options=WANTS_EXPLANATION))

    assert said(event) == ("USER_RULE", USER_RULE_FIRST + SEVENS, {SEVENS, FIVES, HUNDREDS})


def test_base_rules_stand_before_user_rules_and_the_balance_behind_them(engine: Engine) -> None:
    mismatched = engine.one(pay(1, amount=9200, cvv_result=CheckResult.MISMATCH))
    assert said(mismatched) == ("CVV_MISMATCH", Rule.CVV, set())

    poor = engine.one(pay(2, amount=10**11 + 9300, account=1))
    assert said(poor)[:2] == ("USER_RULE", USER_RULE_FIRST + HUNDREDS)
    assert not int(poor["matched"]) >> Rule.BALANCE & 1

    told = engine.one(pay(3, amount=10**11 + 9300, options=WANTS_EXPLANATION))
    assert int(told["matched"]) >> Rule.BALANCE & 1
    noted = engine.one(pay(4, amount=10**11 + 1, options=WANTS_PARTIAL))
    assert said(noted) == ("FUNDS", Rule.BALANCE, {ODD}), "nothing in part where a rule has noted something"


def test_params_are_those_of_the_merchant(engine: Engine) -> None:
    words = {MERCHANT_WORDS: param_key("sevens", "most"), MERCHANT_WORDS + 1: 6000, 0: NAME}
    own = command(Op.MERCHANT_PARAMS, payment=1, options=PART_BEGINS, words=words)
    engine.tell(own, merchant(begins=False))

    assert said(engine.one(pay(1, amount=5614)))[0] == "OK"
    assert said(engine.one(pay(2, amount=6006)))[1] == USER_RULE_FIRST + SEVENS
    engine.tell(merchant())
    assert said(engine.one(pay(3, amount=5614)))[1] == USER_RULE_FIRST + SEVENS, "a line replaces the whole"


def test_an_unfinished_line_leaves_params_as_they_were(engine: Engine) -> None:
    words = {MERCHANT_WORDS: param_key("sevens", "most"), MERCHANT_WORDS + 1: 6000, 0: NAME}
    engine.tell(command(Op.MERCHANT_PARAMS, payment=1, options=PART_BEGINS, words=words))

    assert said(engine.one(pay(1, amount=5614)))[1] == USER_RULE_FIRST + SEVENS


def test_user_rules_are_tried_in_shadow_and_told_where_they_disagree() -> None:
    engine = Engine()
    engine.tell(ruleset(source=offer(RULES)), trial(Act.SHADOW, 2))

    decided, other = engine.tell(pay(1, amount=9200))

    assert (decided["kind"], said(decided)) == (EventKind.DECIDED, ("OK", 0, set()))
    assert (other["kind"], said(other)) == (
        EventKind.DISAGREED,
        ("USER_RULE", USER_RULE_FIRST + HUNDREDS, {FIVES, HUNDREDS}),
    )
    assert other["decision"] == Decision.DECLINE
    assert len(engine.tell(pay(2, amount=1000))) == 1


def test_a_snapshot_has_the_rules_loaded_that_it_names(engine: Engine, tmp_path: Path) -> None:
    write_source(tmp_path / "rules", {"rules.py": TEXT}, RULES)
    np.save(tmp_path / "state.npy", engine.replica.state)

    restored = in_another_process(tmp_path, tmp_path / "state.npy")
    missing = in_another_process(tmp_path / "nowhere", tmp_path / "state.npy")

    assert (restored.returncode, restored.stdout.strip()) == (0, digest(engine.replica.state))
    assert missing.returncode == MISSING


def test_a_replay_finds_the_sources_in_the_folder_and_decides_the_same(tmp_path: Path) -> None:
    write_source(tmp_path / "rules", {"rules.py": TEXT}, RULES)

    ended = in_another_process(tmp_path)

    engine = Engine()
    engine.tell(*commands())
    assert (ended.returncode, ended.stdout.split()) == (0, [digest(engine.replica.state)])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.unlink(), "are missing"),
        (lambda path: path.write_text(path.read_text()[:-9]), "is damaged"),
        (lambda path: path.write_text(path.read_text().replace("5000", "5001")), "was changed"),
    ],
)
def test_a_replay_ends_and_names_a_source_that_is_not_as_it_was(
    tmp_path: Path, change: Any, reason: str
) -> None:
    source = write_source(tmp_path / "rules", {"rules.py": TEXT}, RULES)
    path = tmp_path / "rules" / f"{source.hex()}.json"
    change(path)

    ended = in_another_process(tmp_path)

    assert ended.returncode == MISSING
    assert str(path) in ended.stderr
    assert reason in ended.stderr


def in_another_process(data_dir: Path, *state: Path) -> "subprocess.CompletedProcess[str]":
    """Apply `commands`, or begin at a state, in a process that was offered nothing but the folder."""
    program = [sys.executable, "-m", "tests.engine.payments.user_rules", str(data_dir), *map(str, state)]
    return subprocess.run(program, capture_output=True, text=True, check=False)
