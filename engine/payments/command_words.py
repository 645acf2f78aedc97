"""Where the parts of a command lie in its `words`, by operation (records.py has the other fields)."""

from engine.payments.records import LIMITS, RULES, TEXT_WORD_BYTES, WORDS
from engine.trials.records import STEPS_MAX

REQUEST_ID, MERCHANT, TERMINAL = 0, 8, 11
KEY, BODY, CARD, DEVICE, IP, EMAIL, OWN_KEY = 13, 15, 17, 19, 21, 23, 25
"""Where in `words` of a PAY, or of an operation on a payment, its parts begin: texts of 8, 3 and 2 words,
then hashes of 2. KEY is that of (merchant, request_id), of an operation that of its own request_id, of a
DEPOSIT that of (account, id); BODY that of what was asked. Two words at the end are free."""
RESTORED_CAPTURED, RESTORED_REFUNDED, RESTORED_APPROVED, RESTORED_MATCHED = 11, 12, 13, 14
RESTORED_CODES, RESTORED_RULESET, RESTORED_USER_MATCHED = 15, 16, 19
"""Of a RESTORE, beside REQUEST_ID, MERCHANT and CARD; the codes are those of an EVENT from `code` to
`cohort`, a byte each, lowest first."""
REQUEST_ID_WORDS, MERCHANT_WORDS, TERMINAL_WORDS = 8, 3, 2
KEYS_MAX = 14
"""Keys of a LIST, two words each, from the beginning of `words`: a hash; of BLOCK_BIN (number, digits); of
BLOCK_ACCOUNT (account, 0)."""

MERCHANT_NAME = 0
MERCHANT_STATUS = 3
"""Words of MERCHANT from here: MERCHANT_ACTIVE and HAS_* bits; then channels and card types as bits
1 << n in one word (types above bit 32), hold_days, mcc (-1: none), countries (COUNTRY_WORDS), disclosed
response codes (DISCLOSE_WORDS, a byte a code: place in ISO_CODES)."""
MERCHANT_CHANNELS, MERCHANT_HOLD_DAYS, MERCHANT_MCC = 4, 5, 6
MERCHANT_COUNTRIES = 7
COUNTRY_WORDS = 11
MERCHANT_DISCLOSE = MERCHANT_COUNTRIES + COUNTRY_WORDS
DISCLOSE_WORDS = 6
MERCHANT_ACTIVE, HAS_CURRENCIES, HAS_CHANNELS, HAS_CARD_TYPES, HAS_COUNTRIES = 1, 2, 4, 8, 16
CARD_TYPES_SHIFT = 32
PART_BEGINS = 1
"""`options` of the first part of a merchant or an account; of the completing command that has no parts."""
LIMIT_ROWS_MAX = 4
LIMIT_ROW_WORDS = 6
"""MERCHANT_LIMITS: the name, then `payment` rows of currency, min, max, daily, sca_above,
geo_above; -1: none."""
PERMIT_WORDS = 16
"""MERCHANT_PERMITS: the name, then the currencies as bits."""
MERCHANT_PARAMS_MAX = 8
PARAM_ROW_WORDS = 2
"""MERCHANT_PARAMS: the name, then `payment` rows of key and value: what params of user rules are here."""
BALANCE_ROWS_MAX = 5
BALANCE_ROW_WORDS = 5
"""ACCOUNT_BALANCES: account; `payment` rows of currency | exponent << 16, balance, min, max, sum_24h."""

SETTINGS_INSTANCE, SETTINGS_FINGERPRINT, SETTINGS_CLOCK = 0, 3, 5
SETTINGS_LIMITS, SETTINGS_ORDER, SETTINGS_HISTORY = 6, 20, 24
SETTINGS_HASH, HASH_WORDS = 25, 2
SETTINGS_SOURCE, SOURCE_WORDS = 27, 2
ORDER_WORDS = 4
"""SETTINGS: name of the instance, fingerprint of the hash key, clock, LIMITS in their order, the order of
the rules as bytes, zero padded, 1 where a history follows, the hash of the set of rules, that of its user
rules, zeros where it has none."""
RULESET_WHO, RULESET_WHY = 0, 3
"""RULESET: the key that asked and its reason, texts of WHO_WORDS and RULESET_WHY_WORDS."""
RULESET_WHY_WORDS = 3
TRIAL_WHO, TRIAL_WHY = 0, 3
TRIAL_MAX_DISAGREE, TRIAL_MIN_SEEN, TRIAL_PERCENT, TRIAL_STEP_COUNT, TRIAL_STEPS = 8, 9, 10, 11, 12
TRIAL_LATE_MS, TRIAL_GATE = TRIAL_PERCENT, TRIAL_MAX_DISAGREE
"""ACTIVATE, TRIAL: who and why; of a START its gates (LATE_MS 0: off), how many steps, their percentages,
then how long each is held, ms; of a SET its percentage; of a ROLL_BACK the TrialGate that asks for it."""
assert len(LIMITS) <= SETTINGS_ORDER - SETTINGS_LIMITS
assert len(RULES) <= ORDER_WORDS * TEXT_WORD_BYTES
TRIAL_COMPARES = TRIAL_STEPS + 2 * STEPS_MAX
TRIAL_COMPARES_RATES, TRIAL_COMPARES_AMOUNTS, TRIAL_COMPARES_FAULTS = 1, 2, 4
"""The last word of a START: what of both arms is compared, as bits."""
assert TRIAL_COMPARES < WORDS
assert SETTINGS_SOURCE + SOURCE_WORDS <= WORDS
assert MERCHANT_WORDS + MERCHANT_PARAMS_MAX * PARAM_ROW_WORDS <= WORDS
