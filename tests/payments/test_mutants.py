"""The comparison finds mutants of both sides; and what makes mutants makes what it says."""

import os
import subprocess
import sys

import pytest

from ringbuf.kernel_cache import ROOT
from tests.payments.equivalent_mutants import EQUIVALENT
from tests.payments.mutants import ENGINE, LEGACY, PLAIN, SCOPES, begin, load
from tests.payments.mutation import Mutant, code_of, mutants_of

IS_LONG = os.environ.get("PINION_LONG") == "1"
SHORT = [(ENGINE, "rules.merchant:merchant_amount"), (ENGINE, "rules.signals:score_")]
"""What the short form looks at: all mutants of a few rules, whose boundaries any traffic meets."""
CHOSEN = [(ENGINE, ""), (LEGACY, "")] if IS_LONG else SHORT
MUTANTS_MIN = 200


def all_mutants(side: str) -> list[Mutant]:
    return [mutant for scope in SCOPES[side] for mutant in mutants_of(*scope)]


@pytest.mark.parametrize(("side", "named"), CHOSEN)
def test_mutants_are_found(side: str, named: str) -> None:
    command = [sys.executable, "-m", "tests.payments.mutants", "--side", side, "--named", named]

    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr[-3000:]}"


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    names = [str(mutant) for side in SCOPES for mutant in all_mutants(side)]

    assert len(names) > MUTANTS_MIN
    assert len(set(names)) == len(names)


def test_every_equivalent_one_is_there() -> None:
    names = {str(mutant) for side in SCOPES for mutant in all_mutants(side)}

    assert EQUIVALENT.keys() <= names


def test_a_mutant_is_one_change_of_its_module() -> None:
    mutant = next(each for each in mutants_of("tests.payments.legacy.windows") if each.place == "MINUTE_MS")
    names: dict[str, object] = {}

    exec(code_of(mutant), names)  # a module of ours, with one change

    assert (mutant.before, mutant.after) == ("60000", "60001")
    assert (names["MINUTE_MS"], names["BUCKETS"]) == (60_001, 12)


def test_comparisons_numbers_signs_and_flags_are_changed_but_not_assertions() -> None:
    of_rules = {(each.before, each.after) for each in mutants_of("engine.payments.rules.table")}
    of_holds = {(each.before, each.after) for each in mutants_of("engine.payments.kernels.holds")}

    assert ("True", "False") in of_rules
    assert not any("list(Rule)" in before for before, _ in of_rules)
    assert ("at == NIL", "at != NIL") in of_holds
    assert ("s.now + hold_days * DAY_MS", "s.now - hold_days * DAY_MS") in of_holds


def test_the_kernels_are_changed_as_plain_python_alone() -> None:
    assert PLAIN == {"NUMBA_DISABLE_JIT": "1"}
    with pytest.raises(AssertionError):
        load(ENGINE)  # compiled ones would be compiled anew for each


def test_nothing_is_found_where_nothing_is_changed() -> None:
    load(LEGACY)  # what is compiled here does not count as the process's time

    _, status = os.waitpid(begin(None, LEGACY), 0)

    assert os.waitstatus_to_exitcode(status) == 0
