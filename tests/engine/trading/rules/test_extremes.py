"""Rules at the edges of int64: the same bytes compiled and as plain Python, and no number leaves 64 bits."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from engine.rules.params import param_key
from engine.trading.fields import RULE_PARAM_LIFTED
from engine.trading.records import ALL_INSTRUMENTS, EventKind, Op, Reason
from tests.engine.trading.command_records import record
from tests.engine.trading.extremes import ACCOUNTS, EDGES, extreme_commands
from tests.engine.trading.test_compiled_equals_plain import PLAIN, assert_same, run_otherwise
from tests.rule_files import offer_all, rules_named

PREAMBLE = 6
EVERY = 40


def under_rules(seed: int, count: int) -> np.ndarray:
    """Return a stream at the edges in which sets of rules come and go, with params at edges."""
    random, commands = Random(seed), extreme_commands(seed, count)
    sources = offer_all()
    registered = [_about(Op.RULES_REGISTER, source) for source in sources.values()]
    made = [commands[:PREAMBLE], *registered]
    for start in range(PREAMBLE, len(commands), EVERY):
        roll = random.random()
        name = random.choice(["all_words", "all_windows", *sources])
        if roll < 0.6:
            made.append(_about(Op.RULES_ACTIVATE, sources[name]))
        elif roll < 0.7:
            made.append(record(Op.RULES_ROLLBACK, instrument=ALL_INSTRUMENTS))
        else:
            made.append(_param(random, name))
        made.append(commands[start : start + EVERY])
    return np.concatenate(made)


def _about(op: Op, source: str) -> np.ndarray:
    first, second = np.frombuffer(bytes.fromhex(source), "<i8").tolist()
    return record(op, px=first, qty=second, instrument=ALL_INSTRUMENTS, text=(1, 2, 3), stop_px=-5)


def _param(random: Random, name: str) -> np.ndarray:
    rule = random.choice(rules_named(name))
    key = param_key(rule.name, random.choice([*rule.params, "none"]))
    value = random.choice((1, 2, 10**12, -(10**12), RULE_PARAM_LIFTED, random.choice(EDGES)))
    if random.random() < 0.5:
        return record(Op.RULE_PARAM, px=key, qty=value, account=random.choice((*ACCOUNTS, 9)), instrument=-1)
    return record(Op.RULE_PARAM, px=key, qty=value, instrument=random.choice((0, 1, 2, -7)))


@pytest.mark.parametrize("seed", range(1, 5))
def test_rules_at_the_edges_give_the_same_bytes_compiled_and_plain(seed: int, tmp_path: Path) -> None:
    assert_same(under_rules(seed, 2_000), tmp_path, PLAIN)


def test_the_stream_reaches_refusals_and_faults(tmp_path: Path) -> None:
    events = np.concatenate(
        [run_otherwise(under_rules(seed, 2_000), tmp_path, PLAIN)[0] for seed in (1, 2, 3)]
    )

    by_rule = events[(events["kind"] == EventKind.REJECTED) & (events["reason"] == Reason.RULE)]
    assert np.count_nonzero(by_rule["leaves_qty"] == 0) > 50
    assert np.count_nonzero(by_rule["leaves_qty"]) > 50
    assert {int(reason) for reason in events["reason"]} >= {Reason.UNKNOWN_PARAM, Reason.UNKNOWN_ACCOUNT}
