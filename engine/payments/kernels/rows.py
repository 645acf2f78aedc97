"""The rows of the payments state's tables: every record kind, on whole cache lines.

Rows of a table are found through buckets of a hash table, idx + 1 so that 0 is nothing, and chained by
`chain`. Tables that forget (cards, devices, answers ..) keep their rows in the order of their last use,
`older` and `newer` (idx + 1), from the table's `oldest` to its `newest`. Rows of the others are never given
back, but for operations, which have a free list; payments give way one to another.

A window of length W has twelve buckets of W / 12 ms, numbered by T // (W / 12); bucket b lies at b % 12.
"""

import numpy as np

from engine.contract.records import LINE_BYTES
from engine.payments.command_words import (
    COUNTRY_WORDS,
    DISCLOSE_WORDS,
    HASH_WORDS,
    MERCHANT_PARAMS_MAX,
    PARAM_ROW_WORDS,
    PERMIT_WORDS,
    REQUEST_ID_WORDS,
    RULESET_WHY_WORDS,
    SOURCE_WORDS,
)
from engine.payments.records import LIMITS, RULES
from engine.trials.records import WHO_WORDS

NIL = np.int64(-1)
BUCKETS = 12
"""Of a window."""
DISTINCT_MAX = 32
"""Cards that a device, an address or an e-mail keeps; limits end one below."""
HOLD_DAYS_MAX = 31
EXPIRED_MAX = 64
"""Events of expired holds that leave with one command."""
OPERATIONS_MAX = 64
"""Operations that one payment remembers."""

COUNTS = np.dtype([("last", "<i8"), ("total", "<i4"), ("pad", "<i4"), ("buckets", "<i4", (BUCKETS,))])
assert COUNTS.itemsize == LINE_BYTES
"""A window of counts; `last` is its newest bucket, `total` the sum as of then."""

SUMS = np.dtype([("last", "<i8"), ("total", "<i8"), ("buckets", "<i8", (BUCKETS,)), ("pad", "<i8", (2,))])
assert SUMS.itemsize == 2 * LINE_BYTES

TABLE = np.dtype(
    [
        ("used", "<i8"),  # rows that ever held something
        ("oldest", "<i4"),
        ("newest", "<i4"),
        ("early", "<i8"),  # rows that gave way though their window had not passed
    ]
)

ACCOUNT = np.dtype(
    [
        ("account", "<i8"),
        ("count_limit", "<i8"),  # -1: none
        ("chain", "<i4"),
        ("balances", "<i4"),  # its newest one, idx + 1
        ("staging", "<i4"),  # the line that is being read: balances of another one are not its
        ("status", "<i1"),  # AccountStatus; 0: named by an unfinished line alone
        ("pad", "<i1", (3,)),
        ("pad_line", "<i8", (4,)),
        ("count", COUNTS),
    ]
)
assert ACCOUNT.itemsize == 2 * LINE_BYTES

BALANCE = np.dtype(
    [
        ("total", "<i8"),  # minor units
        ("held", "<i8"),
        ("deposited", "<i8"),  # total + captured less refunded
        ("amount_min", "<i8"),  # -1: none; so the next two
        ("amount_max", "<i8"),
        ("sum_limit", "<i8"),
        ("chain", "<i4"),
        ("next", "<i4"),  # the account's next one, idx + 1
        ("account", "<i4"),  # idx
        ("currency", "<i2"),
        ("exponent", "<i1"),
        ("pad", "<i1"),
        ("staged", "<i8", (4,)),  # balance, min, max, sum_24h of the line `staging`
        ("staging", "<i4"),
        ("pad_line", "<i4", (7,)),
        ("sum_24h", SUMS),
    ]
)
assert BALANCE.itemsize == 4 * LINE_BYTES

MERCHANT = np.dtype(
    [
        ("name", "<i8", (3,)),
        ("chain", "<i4"),
        ("rows", "<i4"),  # its newest currency, idx + 1
        ("staging", "<i4"),
        ("hold_days", "<i4"),
        ("mcc", "<i4"),  # -1: none
        ("is_defined", "<i1"),
        ("status", "<i1"),  # MERCHANT_ACTIVE, HAS_*
        ("channels", "<i1"),  # bits
        ("card_types", "<i1"),
        ("pad", "<i8"),
        ("currencies", "<i8", (PERMIT_WORDS,)),
        ("countries", "<i8", (COUNTRY_WORDS,)),
        ("disclose", "<i8", (DISCLOSE_WORDS,)),
        ("staged_currencies", "<i8", (PERMIT_WORDS,)),
        ("params", "<i8", (MERCHANT_PARAMS_MAX, PARAM_ROW_WORDS)),  # key and value; 0: no more of them
        ("staged_params", "<i8", (MERCHANT_PARAMS_MAX, PARAM_ROW_WORDS)),
        ("pad_line", "<i8", (8,)),
    ]
)
assert MERCHANT.itemsize == 12 * LINE_BYTES

MERCHANT_CURRENCY = np.dtype(
    [
        ("amount_min", "<i8"),  # -1: none; so the next four
        ("amount_max", "<i8"),
        ("daily", "<i8"),
        ("sca_above", "<i8"),
        ("geo_above", "<i8"),
        ("day", "<i8"),  # that day_sum is of
        ("day_sum", "<i8"),
        ("chain", "<i4"),
        ("next", "<i4"),  # the merchant's next one, idx + 1
        ("staged", "<i8", (5,)),
        ("merchant", "<i4"),
        ("currency", "<i4"),
        ("staging", "<i4"),
        ("pad", "<i4", (3,)),
        ("share_day", "<i8"),  # that the next two are of
        ("given", "<i8"),  # of `daily`, by this instance to others
        ("taken", "<i8"),  # the same, from others
        ("short_at", "<i8"),  # ms at which more was asked for than this instance may take
        ("pad_line", "<i8", (4,)),
    ]
)
assert MERCHANT_CURRENCY.itemsize == 3 * LINE_BYTES

CARD = np.dtype(
    [
        ("key", "<i8", (2,)),
        ("chain", "<i4"),
        ("older", "<i4"),
        ("newer", "<i4"),
        ("last_merchant", "<i4"),  # idx; of the last approved payment, so the next five
        ("last_at", "<i8"),  # ms
        ("last_amount", "<i8"),
        ("last_payment", "<i8"),  # 0: none
        ("last_currency", "<i2"),
        ("last_is_voided", "<i1"),
        ("pad", "<i1", (5,)),
        ("minute", COUNTS),
        ("hour", COUNTS),
        ("declines", COUNTS),
    ]
)
assert CARD.itemsize == 4 * LINE_BYTES

PAIR = np.dtype(
    [
        ("key", "<i8", (5,)),  # card, merchant's name
        ("hashed", "<i8"),
        ("chain", "<i4"),
        ("older", "<i4"),
        ("newer", "<i4"),
        ("pad", "<i4"),
        ("declines", COUNTS),
    ]
)
assert PAIR.itemsize == 2 * LINE_BYTES

BIN = np.dtype(
    [
        ("key", "<i8", (2,)),  # number, digits
        ("chain", "<i4"),
        ("older", "<i4"),
        ("newer", "<i4"),
        ("pad", "<i4", (9,)),
        ("declines", COUNTS),
    ]
)
assert BIN.itemsize == 2 * LINE_BYTES

SEEN = np.dtype([("card", "<i8"), ("bucket", "<i8")])
"""The first word of a card's hash, and the bucket in which it was seen last."""

SIGHTING = np.dtype(
    [
        ("key", "<i8", (2,)),
        ("chain", "<i4"),
        ("older", "<i4"),
        ("newer", "<i4"),
        ("count", "<i4"),  # cards kept
        ("last", "<i8"),  # newest bucket
        ("is_guest", "<i8"),  # known from other instances alone
        ("pad", "<i8", (2,)),
        ("seen", SEEN, (DISTINCT_MAX,)),
    ]
)
assert SIGHTING.itemsize == 9 * LINE_BYTES
"""What was seen of one device, address or e-mail."""

LISTED = np.dtype([("key", "<i8", (2,)), ("lists", "<i4"), ("chain", "<i4"), ("pad", "<i8")])
"""`lists`: bits 1 << ListKind. A key that stands on no list any more keeps its row for the next time."""

ANSWER = np.dtype(
    [
        ("key", "<i8", (2,)),
        ("body", "<i8", (2,)),
        ("at", "<i8"),  # T
        ("payment", "<i8"),  # 0: none, a reversal that came first or a deposit
        ("reply_seq", "<i8"),
        ("matched", "<i8"),
        ("amount", "<i8"),
        ("approved_amount", "<i8"),
        ("ruleset", "<i4"),
        ("currency", "<i2"),
        ("exponent", "<i1"),
        ("is_reversal", "<i1"),
        ("code", "<i1"),
        ("rule", "<i1"),
        ("field", "<i1"),
        ("state", "<i1"),
        ("decision", "<i1"),
        ("cohort", "<i1"),
        ("pad", "<i1", (2,)),
        ("chain", "<i4"),
        ("older", "<i4"),
        ("newer", "<i4"),
        ("pad_word", "<i4"),
        ("user_matched", "<i8"),
        ("pad_line", "<i8"),
    ]
)
assert ANSWER.itemsize == 2 * LINE_BYTES

PAYMENT = np.dtype(
    [
        ("payment", "<i8"),  # its seq
        ("account", "<i4"),  # idx, or -1; so the next two
        ("balance", "<i4"),
        ("merchant", "<i4"),
        ("state", "<i1"),
        ("kind", "<i1"),
        ("channel", "<i1"),
        ("exponent", "<i1"),
        ("approved_amount", "<i8"),
        ("captured", "<i8"),
        ("refunded", "<i8"),
        ("held", "<i8"),
        ("due", "<i8"),  # ms at which a hold or a review ends
        ("chain", "<i4"),
        ("older", "<i4"),  # in the queue of its hold_days, of the owed or of the closed ones
        ("newer", "<i4"),
        ("operations", "<i4"),  # its newest one, idx + 1
        ("answer", "<i4"),  # of a pending one: its remembered reply, idx + 1, unless that has given way
        ("ruleset", "<i4"),
        ("currency", "<i2"),
        ("hold_days", "<i1"),
        ("code", "<i1"),
        ("rule", "<i1"),
        ("field", "<i1"),
        ("decision", "<i1"),
        ("cohort", "<i1"),
        ("amount", "<i8"),
        ("matched", "<i8"),
        ("account_number", "<i8"),
        ("changed_at", "<i8"),  # ms
        ("request_id", "<i8", (REQUEST_ID_WORDS,)),
        ("merchant_name", "<i8", (3,)),
        ("card", "<i8", (2,)),
        ("changed_seq", "<i8"),
        ("untold", "<i4"),  # the next expired one whose event has not left, idx + 1
        ("is_untold", "<i1"),
        ("operation_count", "<i1"),
        ("forwarding", "<i1"),  # Forwarding
        ("ring", "<i1"),  # that asked for it, while it is pending
        ("user_matched", "<i8"),
    ]
)
assert PAYMENT.itemsize == 4 * LINE_BYTES

OPERATION = np.dtype(
    [
        ("key", "<i8", (2,)),
        ("body", "<i8", (2,)),
        ("reply_seq", "<i8"),
        ("amount", "<i8"),
        ("captured", "<i8"),
        ("refunded", "<i8"),
        ("held", "<i8"),
        ("approved_amount", "<i8"),
        ("next", "<i4"),  # the payment's next, or the next free one, idx + 1
        ("code", "<i1"),
        ("field", "<i1"),
        ("state", "<i1"),
        ("decision", "<i1"),
        ("pad", "<i8", (5,)),
    ]
)
assert OPERATION.itemsize == 2 * LINE_BYTES

RULESET = np.dtype(
    [
        ("ruleset", "<i8"),  # its id; 0: free
        ("seq", "<i8"),  # of the command that registered it
        ("active", "<i8"),  # the rules that are on, bits 1 << Rule
        ("place", "<i8", (len(RULES) + 1,)),  # of each rule in the order
        ("limits", "<i8", (len(LIMITS),)),
        ("hash", "<i8", (HASH_WORDS,)),
        ("source", "<i8", (SOURCE_WORDS,)),  # the hash of its user rules; zeros: it has none
        ("who", "<i8", (WHO_WORDS,)),
        ("why", "<i8", (RULESET_WHY_WORDS,)),
    ]
)
"""A set of rules: base parameters, order and user rules."""
