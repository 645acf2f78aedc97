"""A set of rules tried on a private state, beside a journal that says nothing of it.

What it would have decided comes as DISAGREED events of the replay from here on; nothing else of the state is
touched, and no command takes a number.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.payments.command_words import SETTINGS_HASH, TRIAL_MAX_DISAGREE
from engine.payments.kernels.rulesets import register
from engine.payments.kernels.trials import on_trial
from engine.payments.records import COMMAND, COMMAND_VERSION, Op
from engine.trials.records import Act, TrialState
from ringbuf.kernel import COMPILED, kernel

KEPT = ("out_count", "out_last", "opened_count", "event_count", "slot_count")
"""Of a state, what the two commands below must leave as it was: they are in no journal."""


def try_beside(state: Any, ruleset: npt.NDArray[Any]) -> bool:
    """Let a set decide in shadow from the next command on; tell whether it is another one than governs.

    state : array of one STATE record, in which no trial is on
    ruleset : one RULESET command
    """
    s = state[0]
    assert not TrialState.SHADOW <= s["trial"][0]["state"] <= TrialState.PAUSED, "a trial is on"
    before = {name: s[name].copy() for name in KEPT}
    version = s["version"][-1]
    trial = np.zeros(1, COMMAND)
    trial["op"], trial["version"], trial["kind"] = Op.TRIAL, COMMAND_VERSION, Act.SHADOW
    _apply(state if COMPILED else state.view(np.recarray), ruleset, trial)
    for name in KEPT:
        s[name] = before[name]
    s["version"][-1] = version
    return bool(s["trial"][0]["state"] == TrialState.SHADOW)


@kernel
def _apply(state, ruleset, trial):
    s = state[0]
    register(s, ruleset[0])
    for at in range(len(s.rulesets)):
        if s.rulesets[at].hash[0] == ruleset[0].words[SETTINGS_HASH]:
            trial[0].payment = s.rulesets[at].ruleset
    trial[0].words[TRIAL_MAX_DISAGREE] = -1
    on_trial(s, trial[0])
