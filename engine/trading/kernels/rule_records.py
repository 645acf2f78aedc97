"""What is kept of rules that people write: records of the state (rulesets.py, user_rules.py).

RULESET        per registered set: its hash, who brought it and why, what each rule refused
RULE_ACCOUNT   per account: what it ordered and traded of late
RULE_POSITION  per position: how many lots were ordered and filled of late
RULE_BOOK      per instrument: how many lots were traded of late
RULE_PARAM     a param as it is for one account or in one instrument
JUDGED         scratch: an order as rules are given it
"""

import numpy as np

from engine.rules.vocabulary import PARAMS_MAX, RULES_MAX
from engine.trading.kernels.watch_records import BUCKETS
from engine.trading.rules.vocabulary import CONTEXT, FIELDS

RULESETS_MAX = 16
HASH_WORDS = 2
WHO_WORDS = 3
WHY_WORDS = 5
LENGTHS = 2
"""Windows of a second and of a minute, in this order."""
RULE_PARAMS_MAX = 4096

RULESET = np.dtype(
    [
        ("ruleset", "<i8"),  # its id, from 1 in the order of registration; 0: the place is free
        ("seq", "<i8"),
        ("hash", "<i8", (HASH_WORDS,)),
        ("who", "<i8", (WHO_WORDS,)),
        ("why", "<i8", (WHY_WORDS,)),
        ("refused", "<i8", (RULES_MAX,)),
        ("faults", "<i8", (RULES_MAX,)),
    ]
)

RULE_ACCOUNT = np.dtype(
    [
        ("term", "<i8"),  # in which its windows were begun (state: rules_term)
        ("bucket", "<i8", (LENGTHS,)),  # the newest of either window
        ("orders", "<i8", (LENGTHS, BUCKETS)),
        ("trades", "<i8", (LENGTHS, BUCKETS)),
        ("loss_ts", "<i8"),  # of the last trade that realised a loss; 0 = none
        ("params", "<i8"),  # its first RULE_PARAM, idx + 1
        ("pad", "<i8", (3,)),
    ]
)
assert RULE_ACCOUNT.itemsize == 448

RULE_POSITION = np.dtype(
    [
        ("term", "<i8"),
        ("bucket", "<i8", (LENGTHS,)),
        ("ordered", "<i8", (LENGTHS, BUCKETS)),
        ("filled", "<i8", (LENGTHS, BUCKETS)),
        ("pad", "<i8", (5,)),
    ]
)
assert RULE_POSITION.itemsize == 448

RULE_BOOK = np.dtype(
    [
        ("term", "<i8"),
        ("bucket", "<i8", (LENGTHS,)),
        ("volume", "<i8", (LENGTHS, BUCKETS)),
        ("params", "<i8"),
        ("pad", "<i8", (4,)),
    ]
)
assert RULE_BOOK.itemsize == 256

RULE_PARAM = np.dtype([("key", "<i8"), ("value", "<i8"), ("next", "<i8")])
"""key : of rule and name (engine/rules/params.py); next : of the same account or instrument, idx + 1."""

JUDGED = np.dtype(
    [
        ("p", "<i8", (len(FIELDS),)),
        ("ctx", "<i8", (len(CONTEXT),)),
        ("params", "<i8", (RULES_MAX * PARAMS_MAX,)),
        ("found", "<i8"),  # what rule_set said of the order
    ]
)
