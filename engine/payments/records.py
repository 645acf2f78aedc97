"""The records of payments: COMMAND (320 bytes) in, EVENT (192 bytes) out.

Both are fixed-size, little-endian and padded to whole cache lines. An amount is an integer in minor units
of its currency, a currency its ISO 4217 number, a country (first - "A") * 26 + second - "A", a time `_ms`
since 1970. What was not given is -1. Texts are zero padded; a hash is the door's keyed BLAKE2b of 128 bits
as two words, zeros where there is nothing. Numbers in the enums are never reused.

COMMAND fields, by operation; `words` by the places in command_words.py
    PAY            all; kind (PayKind), options WANTS_*, HAS_SCA, FORWARDS; REQUEST_ID .. EMAIL
    CAPTURE        payment, amount (-1: the rest), kind FINAL; REQUEST_ID, KEY, BODY
    VOID, REFUND   payment, amount (-1: all there is); REQUEST_ID, KEY, BODY
    REVIEW         payment, kind APPROVE_IT or DECLINE_IT
    REVERSE        a void by merchant and request: REQUEST_ID, MERCHANT, KEY (the payment's), BODY, OWN_KEY
    MERCHANT       `words` from MERCHANT_NAME on: completes what the two below have begun
    MERCHANT_LIMITS, MERCHANT_PERMITS, MERCHANT_PARAMS, ACCOUNT_BALANCES    parts that the command behind
                   them completes
    ACCOUNT        account, kind (AccountStatus), amount (count_24h, -1: none)
    LIST           kind (ListKind), options: LIST_REMOVE; payment: how many keys; KEYS
    DEPOSIT        account, currency, exponent, amount (may be negative); KEY, BODY
    SETTINGS       `words` from SETTINGS_INSTANCE on
    RULESET        registers a set of rules: RULESET_WHO, RULESET_WHY, from SETTINGS_LIMITS on as SETTINGS
    ACTIVATE       payment: the id of the set that governs from now on; TRIAL_WHO, TRIAL_WHY
    TRIAL          kind (engine/trials/records.py: Act), payment: the id of the candidate, TRIAL_* words
    HISTORY        payment: the last seq whose outcome the database has for good
    RESTORE        a closed payment that gave way, out of history: payment, account, amount, currency,
                   exponent, channel, kind; REQUEST_ID, MERCHANT, RESTORED_* words, CARD
    PROCESSED      payment, kind (forwarding.py: Processed), bin, bin_digits; MERCHANT, CARD
    CONFIRMED      payment: one whose reversal the processor has confirmed
"""

from enum import IntEnum, IntFlag

import numpy as np

from engine.contract.records import ROLES_ALL, Operation, entry_dtype

COMMAND_VERSION = 1
AMOUNT_MAX = 999_999_999_999
MONEY_MAX = 2**62
"""No balance and no sum may pass this."""
NOT_GIVEN = -1
TEXT_WORD_BYTES = 8


class Op(IntEnum):
    """What a command asks for."""

    TICK = Operation.TICK
    PAY = 2
    CAPTURE = 3
    VOID = 4
    REFUND = 5
    SESSION_DOWN = Operation.SESSION_DOWN
    QUARANTINED = Operation.QUARANTINED
    REVIEW = 8
    REVERSE = 9
    MERCHANT = 20
    MERCHANT_LIMITS = 21
    MERCHANT_PERMITS = 22
    ACCOUNT = 23
    ACCOUNT_BALANCES = 24
    LIST = 25
    DEPOSIT = 26
    SETTINGS = 27
    HISTORY = 28
    RESTORE = 29
    RULESET = 30
    ACTIVATE = 31
    TRIAL = 32
    MERCHANT_PARAMS = 33
    PROCESSED = 35
    CONFIRMED = 36
    FLEET = 37  # these three: fleet_records.py
    STORE = 38
    SHARES = 39
    SIGHTINGS = 41  # fleet_records.py


class Role(IntFlag):
    """What a key may do; stamped by the door."""

    ACQUIRER = 1  # pays and reads for its merchants
    RISK = 2  # sets up, reviews, reads everything
    VIEWER = 4  # reads everything
    ALL = ROLES_ALL


class PayKind(IntEnum):
    AUTHORISE = 1
    SALE = 2


class Channel(IntEnum):
    ECOM = 1
    POS = 2
    MOTO = 3
    RECURRING = 4


class CardType(IntEnum):
    CREDIT = 1
    DEBIT = 2
    PREPAID = 3


class CheckResult(IntEnum):
    """Of the card's verification value, or of the address."""

    MATCH = 1
    MISMATCH = 2
    NONE = 3
    PARTIAL = 4  # of an address only


class AccountStatus(IntEnum):
    OPEN = 1
    FROZEN = 2
    CLOSED = 3


class ListKind(IntEnum):
    """The lists of cards and others; in a state each is one bit, 1 << kind."""

    LOST = 1
    STOLEN = 2
    BLOCK_CARD = 3
    ALLOW_CARD = 4
    BLOCK_BIN = 5
    BLOCK_ACCOUNT = 6
    BLOCK_DEVICE = 7
    BLOCK_IP = 8
    BLOCK_EMAIL = 9


class Decision(IntEnum):
    APPROVE = 1
    DECLINE = 2
    REVIEW = 3
    STEP_UP = 4


class State(IntEnum):
    """Where a payment stands."""

    OPEN = 1
    CAPTURED = 2
    VOIDED = 3
    EXPIRED = 4
    DECLINED = 5
    REVIEW = 6
    STEP_UP = 7
    PENDING = 8  # approved and held, and not answered by the processor yet


class Clock(IntEnum):
    """Where T comes from."""

    ENGINE = 1  # the engine's clock
    REQUEST = 2  # what requests say, for replays and tests


class Rule(IntEnum):
    """The rules by their names, in the order in which they stand unless settings say another."""

    IDEMPOTENCY = 1
    MERCHANT_ACTIVE = 2
    ACCOUNT_STATUS = 3
    CARD_EXPIRY = 4
    HOT_LIST = 5
    BLOCK_LIST = 6
    MERCHANT_PERMITS = 7
    MERCHANT_AMOUNT = 8
    ACCOUNT_AMOUNT = 9
    MERCHANT_DAILY = 10
    ACCOUNT_SUM_24H = 11
    ACCOUNT_COUNT_24H = 12
    CARD_1M = 13
    CARD_1H = 14
    CARD_DECLINES_1H = 15
    BIN_DECLINES_1H = 16
    DEVICE_CARDS_24H = 17
    IP_CARDS_1H = 18
    EMAIL_CARDS_24H = 19
    SCHEME_RETRY = 20
    DOUBLE_CHARGE = 21
    CVV = 22
    SCORE_DECLINE = 23
    SCORE_REVIEW = 24
    GEO = 25
    SMALL_THEN_LARGE = 26
    SCA = 27
    BALANCE = 28


RULES = tuple(rule.name.lower() for rule in Rule)
"""Names as settings and replies have them; RULES[n - 1] is that of rule n."""
USER_RULE_FIRST = 64
"""The number of the first user rule of a set, where rules have numbers; the others follow in their order."""


class Field(IntEnum):
    """The fields that a reply of the engine can name."""

    REQUEST_ID = 1
    MERCHANT = 2
    ACCOUNT = 3
    CARD_EXPIRY = 4
    CARD = 5
    CARD_BIN = 6
    DEVICE = 7
    IP = 8
    EMAIL = 9
    CURRENCY = 10
    CHANNEL = 11
    CARD_TYPE = 12
    CARD_ISSUER_COUNTRY = 13
    AMOUNT = 14
    CVV_RESULT = 15
    SCORE = 16
    IP_COUNTRY = 17
    SCA = 18
    PAYMENT = 19
    WORDS = 20  # of a command that no door makes


FIELD_NAMES = {
    field: field.name.lower().replace("card_", "card.", 1) for field in Field if field != Field.WORDS
}


class EventKind(IntEnum):
    """What happened."""

    DECIDED = 1  # PAY: a decision, or what is remembered of one
    MOVED = 2  # an operation on a payment is answered
    EXPIRED = 3  # a hold or a review ended by itself; belongs to no session
    DONE = 4  # a set-up command is answered: `code` says how
    REJECTED = 5  # not a command that this application takes: UNSUPPORTED or QUARANTINED in `code`
    DISAGREED = 6  # what the set that does not count would have decided of the payment decided with it
    TRIAL = 7  # a trial went on or ended by itself: `state` TrialState, `rule` TrialGate, `amount` percentage
    SETTLED = 8  # a pending payment has its outcome; told to the ring that asked for it, to no session


class EventFlag(IntFlag):
    LAST = 1  # last event of its command


FINAL = 1
"""`kind` of a CAPTURE that releases what it leaves."""
APPROVE_IT, DECLINE_IT = 1, 2
"""`kind` of a REVIEW."""
LIST_REMOVE = 1
"""`options` of a LIST."""
WANTS_PARTIAL, WANTS_EXPLANATION, HAS_SCA, FORWARDS = 1, 2, 4, 8
"""`options` of a PAY: allow_partial, explain, sca, and that the door forwards it to a processor."""

COMMAND = np.dtype(
    [
        ("gw_ts", "<i8"),
        ("req_seq", "<i8"),
        ("value", "<i8"),  # the runtime's
        ("session", "<i4"),
        ("op", "<i1"),
        ("version", "<i1"),
        ("roles", "<i1"),
        ("kind", "<i1"),
        ("received_at", "<i8"),  # ms, or -1
        ("account", "<i8"),
        ("amount", "<i8"),
        ("payment", "<i8"),  # the seq of the one meant; of a PAY that FORWARDS: ms until an answer is late
        ("currency", "<i2"),
        ("expiry", "<i2"),  # months since 2000-01
        ("score", "<i2"),
        ("issuer_country", "<i2"),
        ("ip_country", "<i2"),
        ("exponent", "<i1"),
        ("channel", "<i1"),
        ("card_type", "<i1"),
        ("cvv_result", "<i1"),
        ("avs_result", "<i1"),
        ("options", "<i1"),
        ("bin", "<i4"),  # its digits as a number, or -1
        ("bin_digits", "<i1"),  # 6, 7 or 8; 0 without one
        ("pad", "<i1", (3,)),
        ("words", "<i8", (29,)),
    ]
)
assert COMMAND.itemsize == 320
WORDS = 29
RULESETS_MAX = 16
"""Sets that are kept; of those that neither govern nor are on trial the eldest gives way."""
LIMITS = {
    "card_1m": 3,
    "card_1h": 10,
    "card_declines_1h": 5,
    "bin_declines_1h": NOT_GIVEN,
    "device_cards_24h": 3,
    "ip_cards_1h": 5,
    "email_cards_24h": NOT_GIVEN,
    "scheme_retry": 20,
    "double_charge_ms": 120_000,
    "score_decline": 900,
    "score_review": 700,
    "small_then_large_ms": 600_000,
}
"""The base parameters of the rules and their defaults; -1: off."""

EVENT = np.dtype(
    [
        ("event_idx", "<i8"),
        ("seq", "<i8"),
        ("eng_ts", "<i8"),
        ("kind", "<i1"),
        ("op", "<i1"),  # of the command
        ("flags", "<i1"),
        ("ring", "<i1"),  # of the command, as session and req_seq; -1 in EXPIRED
        ("session", "<i4"),
        ("req_seq", "<i8"),
        ("payment", "<i8"),  # the seq of the payment, 0 for none
        ("account", "<i8"),
        ("amount", "<i8"),  # asked; of an operation: moved
        ("approved_amount", "<i8"),
        ("matched", "<i8"),  # bits 1 << Rule
        ("code", "<i1"),
        ("rule", "<i1"),  # 0: none; as field, state, decision
        ("field", "<i1"),
        ("state", "<i1"),
        ("decision", "<i1"),
        ("cohort", "<i1"),  # 0: control
        ("disclosed", "<i1"),  # what an acquirer reads: place in ISO_CODES from 1; 0: `code` as it is
        ("replayed", "<i1"),
        ("ruleset", "<i4"),
        ("currency", "<i2"),
        ("exponent", "<i1"),
        ("channel", "<i1"),
        ("reply_seq", "<i8"),  # `seq` of the reply: the command's, or that of a remembered one
        ("ts_ms", "<i8"),  # T
        ("captured", "<i8"),
        ("refunded", "<i8"),
        ("held", "<i8"),
        ("total", "<i8"),  # of the balance, behind the command
        ("user_matched", "<i8"),  # user rules, bits 1 << their place in the set
        ("reserved", "<i8", (5,)),
    ]
)
assert EVENT.itemsize == 192

JOURNAL_ENTRY = entry_dtype(COMMAND)
"""A command as the journal keeps it: seq, eng_ts, ring, ring_seq, command."""
