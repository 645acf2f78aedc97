"""The instance and its rules, as the configuration says them, as a command; what of it a data folder keeps.

Limits and order may change from start to start. Name of the instance, clock and key of the hashes are
those of the first start: ids, decisions and hashes that lie in the state mean nothing under others.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.payments.command_words import (
    SETTINGS_CLOCK,
    SETTINGS_FINGERPRINT,
    SETTINGS_HISTORY,
    SETTINGS_INSTANCE,
)
from engine.payments.records import COMMAND, Clock, Op
from engine.payments.rule_words import HASH, limits_of, order_of, put_rules
from engine.payments.settings import PaymentSection
from engine.payments.texts import text_words, words_text
from engine.runtime.supervision.configure import Definition
from engine.settings.config import ConfigError
from engine.trials.records import TrialState

INSTANCE = slice(SETTINGS_INSTANCE, SETTINGS_FINGERPRINT)
FINGERPRINT = slice(SETTINGS_FINGERPRINT, SETTINGS_CLOCK)
Words = npt.NDArray[np.int64]


def definition(settings: PaymentSection, fingerprint: bytes, *, has_history: bool = False) -> Definition:
    """Return the command; fingerprint : of the key of the hashes; has_history : a database follows."""
    commands = np.zeros(1, COMMAND)
    commands["op"] = Op.SETTINGS
    words = commands["words"][0]
    words[INSTANCE] = text_words(settings.instance, len(words[INSTANCE]))
    words[FINGERPRINT] = np.frombuffer(fingerprint, "<i8")
    words[SETTINGS_CLOCK] = settings.clock_number
    put_rules(words, settings.rules.limits(), settings.rules.order)
    words[SETTINGS_HISTORY] = has_history
    return Definition("payments.rules", commands)


def is_fresh(state: Any) -> bool:
    """Tell whether an engine has never been set up; state : array of one STATE record."""
    return int(state[0]["ruleset"]) == 0


def is_known(wanted: Definition, state: Any, data_dir: Path) -> bool:
    """Tell whether an engine decides by these rules already; ConfigError where it is another instance's."""
    if is_fresh(state):
        return False
    words = wanted.commands["words"][0]
    known = words_of(state)
    _require_same(words, known, data_dir)
    trial = state[0]["trial"][0]
    is_live = TrialState.SHADOW <= trial["state"] <= TrialState.PAUSED
    if is_live and (words[HASH] != known[HASH]).any():
        raise ConfigError(
            f"payments.rules: are others than those of the last start, while set {trial['candidate']} is on "
            f"trial; set them as they were, and end the trial first (pinion payments canary rollback)"
        )
    return bool((words == known).all())


def words_of(state: Any) -> Words:
    """Return the words of the command that would bring an engine to where it is."""
    s = state[0]
    words: Words = np.zeros(1, COMMAND)["words"][0]
    words[INSTANCE], words[FINGERPRINT], words[SETTINGS_CLOCK] = s["instance"], s["fingerprint"], s["clock"]
    sets = s["rulesets"]
    configured = sets[np.flatnonzero(sets["ruleset"] == s["configured"])[0]]
    put_rules(words, limits_of(configured["limits"]), order_of(configured["place"].tolist()))
    words[SETTINGS_HISTORY] = s["has_history"]
    return words


def _require_same(words: Words, known: Words, data_dir: Path) -> None:
    """Raise ConfigError where the configuration is about another instance than the folder's."""
    mend = f"; set that again, or name another folder than {data_dir}"
    if (words[INSTANCE] != known[INSTANCE]).any():
        given, found = words_text(words[INSTANCE]), words_text(known[INSTANCE])
        raise ConfigError(
            f"payments.instance = {given!r}: the payments in {data_dir} are of instance {found!r}{mend}"
        )
    if words[SETTINGS_CLOCK] != known[SETTINGS_CLOCK]:
        given, found = (Clock(int(each[SETTINGS_CLOCK])).name.lower() for each in (words, known))
        raise ConfigError(
            f"payments.clock = {given!r}: the payments in {data_dir} were decided by {found!r}{mend}"
        )
    if (words[FINGERPRINT] != known[FINGERPRINT]).any():
        raise ConfigError(
            f"payments.hash_key_file: holds another key than that by which the cards in {data_dir} were "
            f"hashed, so none would be known again; bring that key back from a backup"
        )
