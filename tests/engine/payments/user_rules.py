"""User rules of tests, and a process that applies commands under them with nothing but a folder of sources.

python -m tests.engine.payments.user_rules DATA            prints the digest behind the commands
python -m tests.engine.payments.user_rules DATA STATE.npy  makes ready for a state
"""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from engine.payments.application import load_named_rules, open_folder
from engine.payments.kernels.digest import digest
from engine.payments.records import Op
from engine.payments.rules.vocabulary import VOCABULARY
from engine.rules.language.source import read
from engine.rules.store import source_hash
from tests.engine.payments.building import Engine, command, pay, ruleset

TEXT = """from pinion import DECLINE, REVIEW, STEP_UP, rule


@rule("sevens", code="USER_RULE", action=DECLINE, params={"most": 5000})
def sevens(p, ctx, params):
    return p.amount % 7 == 0 and p.amount > params.most


@rule("odd", code="REVIEW", action=REVIEW)
def odd(p, ctx, params):
    return p.amount % 2 == 1


@rule("fives", code="SCA_REQUIRED", action=STEP_UP)
def fives(p, ctx, params):
    return p.amount % 5 == 0 and p.amount > 2000


@rule("hundreds", code="USER_RULE", action=DECLINE)
def hundreds(p, ctx, params):
    return p.amount % 100 == 0 and p.amount > 9000
"""
SEVENS, ODD, FIVES, HUNDREDS = range(4)
RULES = read(TEXT, VOCABULARY, "rules.py")
SOURCE = source_hash(RULES)
HEADER_BYTES_MAX = 2**20
"""Of a state's dtype in a .npy file."""
MISSING = 3
"""How the process below ends where a source is not there."""


def commands() -> list[Any]:
    """Return commands of which some are decided by user rules."""
    made = [ruleset(source=SOURCE), command(Op.ACTIVATE, payment=2)]
    return [*made, *(pay(number, amount=amount) for number, amount in enumerate((1000, 1001, 5600, 9200), 1))]


def main() -> None:
    """Print a digest; end with MISSING where a source is not there."""
    open_folder(Path(sys.argv[1]), _end)
    if len(sys.argv) > 2:
        state = np.load(sys.argv[2], max_header_size=HEADER_BYTES_MAX)
        load_named_rules(state)
        print(digest(state))
        return
    engine = Engine()
    engine.tell(*commands())
    print(digest(engine.replica.state))


def _end(text: str) -> NoReturn:
    print(text, file=sys.stderr, flush=True)
    os._exit(MISSING)


if __name__ == "__main__":
    main()
