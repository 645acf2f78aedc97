"""The rules of a configuration as a command, and what of them a data folder keeps for good."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.payments.capacities import Capacities
from engine.payments.kernels.state import state_dtype
from engine.payments.records import RULES, Op
from engine.payments.settings import PaymentSection, PaymentsSettings
from engine.settings.config import ConfigError, parse
from pinion.cli.payments.rules import definition, is_fresh, is_known, words_of

FINGERPRINT, OTHER = bytes(range(16)), bytes(range(1, 17))
DATA = Path("/data")
SIZES = Capacities(
    accounts=8, balances=8, merchants=8, merchant_currencies=8, cards=8, pairs=8, devices=8, ips=8, emails=8,
    bins=8, payments=8, operations=8, answers=8, list_entries=8,
)  # fmt: skip


def section(toml: str = "") -> PaymentSection:
    return parse(f"[payments]\n{toml}".encode(), PaymentsSettings).payments


def state_after(settings: PaymentSection, fingerprint: bytes = FINGERPRINT) -> Any:
    """Return the state of an engine that was told these settings."""
    state = np.zeros(1, state_dtype(SIZES))
    words = definition(settings, fingerprint).commands["words"][0]
    known = state[0]
    known["instance"], known["fingerprint"], known["clock"] = words[0:3], words[3:5], words[5]
    rules = known["rulesets"][0]
    rules["ruleset"] = known["configured"] = 1
    rules["limits"] = list(settings.rules.limits().values())
    rules["place"] = len(rules["place"])
    for place, name in enumerate(settings.rules.order):
        rules["place"][1 + RULES.index(name)] = place
    known["ruleset"] = 1
    return state


CHANGED = "[payments.rules]\ncard_1m = 4\ncard_1h = 'off'\norder = " + repr(
    [*RULES[:3], "cvv", "hot_list", "balance"]
)


@pytest.mark.parametrize("toml", ["", "instance = 'b2'\nclock = 'request'", CHANGED])
def test_what_an_engine_was_told_is_known_again(toml: str) -> None:
    wanted = definition(section(toml), FINGERPRINT)

    assert wanted.commands["op"] == [Op.SETTINGS]
    assert is_known(wanted, state_after(section(toml)), DATA)
    assert (words_of(state_after(section(toml))) == wanted.commands["words"][0]).all()


@pytest.mark.parametrize(
    "toml",
    [
        "[payments.rules]\ncard_1m = 4",
        "[payments.rules]\nsmall_then_large_ms = 'off'",
        f"[payments.rules]\norder = {[name for name in RULES if name != 'cvv']!r}",
        f"[payments.rules]\norder = {[*RULES[:3], RULES[4], RULES[3], *RULES[5:]]!r}",
    ],
    ids=["limit", "off", "left out", "moved"],
)
def test_other_limits_and_another_order_are_sent(toml: str) -> None:
    assert not is_known(definition(section(toml), FINGERPRINT), state_after(section()), DATA)


def test_a_history_that_comes_or_goes_is_sent() -> None:
    wanted, state = definition(section(), FINGERPRINT, has_history=True), state_after(section())

    assert not is_known(wanted, state, DATA)
    state["has_history"] = 1
    assert is_known(wanted, state, DATA)
    assert not is_known(definition(section(), FINGERPRINT), state, DATA)


def test_a_fresh_engine_knows_nothing_and_takes_any_instance() -> None:
    fresh = np.zeros(1, state_dtype(SIZES))

    assert is_fresh(fresh)
    assert not is_known(definition(section("instance = 'b'"), OTHER), fresh, DATA)
    assert not is_fresh(state_after(section()))


@pytest.mark.parametrize(
    ("toml", "fingerprint", "said"),
    [
        ("instance = 'b'", FINGERPRINT, "payments.instance = 'b': the payments in /data are of instance 'a'"),
        (
            "clock = 'request'",
            FINGERPRINT,
            "payments.clock = 'request': the payments in /data were decided by 'engine'",
        ),
        ("", OTHER, "payments.hash_key_file: holds another key than that by which the cards in /data"),
    ],
    ids=["instance", "clock", "key"],
)
def test_what_a_folder_keeps_for_good_stops_a_start_that_says_another(
    toml: str, fingerprint: bytes, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        is_known(definition(section(toml), fingerprint), state_after(section()), DATA)

    assert said in str(refused.value)
