"""What a trial is: its record in a state, its states, and what is asked of it.

A *candidate* set of rules decides everything that the *governing* one decides. In shadow the governing
decision alone counts; in a canary the candidate's counts for its cohort, a percentage of the keys that
grows by steps. Nothing here knows what is decided: a decision is a code, below CODES_MAX, and an
outcome, below OUTCOMES_MAX, such as a decline.
"""

from enum import IntEnum

import numpy as np

CODES_MAX, OUTCOMES_MAX = 64, 8
STEPS_MAX = 8
PAIRS_MAX = 64
"""Pairs of codes that are counted one by one."""
COHORT_PARTS = 10_000
"""Of all keys; a percentage is a hundred of them."""
MILLION = 1_000_000
WHO_WORDS, WHY_WORDS = 3, 5


class TrialState(IntEnum):
    """Where a trial stands; the last two are its ends."""

    NONE = 0
    SHADOW = 1
    RUNNING = 2
    PAUSED = 3  # the cohort stays as it is, and no step is taken
    PROMOTED = 4
    ROLLED_BACK = 5


class Act(IntEnum):
    """What is asked of a trial."""

    SHADOW = 1
    START = 2
    SET = 3
    ADVANCE = 4
    PAUSE = 5
    RESUME = 6
    ROLL_BACK = 7


class TrialGate(IntEnum):
    """What ended a trial by itself."""

    NONE = 0
    DISAGREEMENT = 1
    OUTCOME_RATE = 2  # an outcome is rarer or more frequent than of the other arm
    CODE_RATE = 3  # a code is
    APPROVED_AMOUNT = 4  # more or less of what was asked is approved
    FAULT_RATE = 5  # more or fewer are not decided for want of something
    LATENCY = 6  # answers of the candidate's arm come late; asked for by whoever measures that


PAIR = np.dtype([("codes", "<i8"), ("count", "<i8")])
"""codes : the governing code and the candidate's, `governing * CODES_MAX + candidate`; 0 where free."""

ARM = np.dtype(
    [
        ("decided", "<i8"),
        ("outcomes", "<i8", (OUTCOMES_MAX,)),
        ("codes", "<i8", (CODES_MAX,)),
        ("unserved", "<i8"),  # refused undecided, which `decided` leaves out
        ("faults", "<i8"),  # those, and what was decided or settled for want of something
        ("asked", "<i8"),  # from here on: amounts.py
        ("withheld", "<i8"),
        ("asked_squares", "<i8"),
        ("asked_withheld", "<i8"),
        ("withheld_squares", "<i8"),
        ("withheld_max", "<i8"),
    ]
)
"""What one side of a canary decided in the present step."""

TRIAL = np.dtype(
    [
        ("state", "<i8"),
        ("candidate", "<i8"),  # id of the set
        ("percent", "<i8"),  # of the keys, whose decisions are the candidate's
        ("step", "<i8"),
        ("step_count", "<i8"),
        ("steps", "<i8", (STEPS_MAX,)),  # percentages
        ("holds_ms", "<i8", (STEPS_MAX,)),  # how long each step lasts at least
        ("step_began_ms", "<i8"),
        ("max_disagree_ppm", "<i8"),  # -1: off
        ("min_seen", "<i8"),
        ("compares_rates", "<i8"),  # 1: the arms' rates are compared
        ("next_look", "<i8"),  # once both arms have decided so many
        ("seen", "<i8"),
        ("disagreements", "<i8"),
        ("gate", "<i8"),
        ("gate_of", "<i8"),  # the outcome or the code whose rate breached it
        ("pairs", PAIR, (PAIRS_MAX,)),
        ("pairs_left_out", "<i8"),
        ("arms", ARM, (2,)),  # control, canary
        ("who", "<i8", (WHO_WORDS,)),  # of the last act, texts
        ("why", "<i8", (WHY_WORDS,)),
        ("compares_amounts", "<i8"),  # 1: the arms' approved parts of what was asked are compared
        ("compares_faults", "<i8"),
        ("late_ms", "<i8"),  # an answer of the candidate's arm is late beyond it; 0: off
        ("step_began_seq", "<i8"),  # of the first decision in it; 0: none yet
    ]
)
"""Times are of the engine's clock, ms since 1970."""
