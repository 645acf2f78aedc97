"""The state of payments as one record: all that decides lies here, at fixed places (rows.py)."""

from typing import Any

import numpy as np

from engine.contract.batches import BURST_SLOTS
from engine.contract.spread import SLOT_WORDS
from engine.contract.state_layout import power_of_two, state_record
from engine.payments.capacities import Capacities
from engine.payments.fleet_records import FLEET, SIGHTED, SIGHTED_MAX
from engine.payments.kernels.rows import (
    ACCOUNT,
    ANSWER,
    BALANCE,
    BIN,
    CARD,
    EXPIRED_MAX,
    HOLD_DAYS_MAX,
    LISTED,
    MERCHANT,
    MERCHANT_CURRENCY,
    OPERATION,
    PAIR,
    PAYMENT,
    RULESET,
    SIGHTING,
    TABLE,
)
from engine.payments.kernels.scratch import CONTEXT, FOUND, USER, VERDICT
from engine.payments.records import RULESETS_MAX
from engine.trials.records import TRIAL

SLOTS_MAX = 2 * EXPIRED_MAX + 8

SCALARS: list[Any] = [
    ("seq", "<i8"),
    ("eng_ts", "<i8"),
    ("ring", "<i8"),
    ("out_count", "<i8"),
    ("out_hashed", "<i8"),
    ("out_first", "<i8"),
    ("out_last", "<i8"),
    ("opened_count", "<i8"),
    ("event_count", "<i8"),
    ("slot_count", "<i8"),
    ("event_hash", "<i8"),
    ("now", "<i8"),  # T, ms
    ("next_end", "<i8"),  # ms at which the first hold ends, or before; 0: none
    ("untold_first", "<i4"),  # expired payments whose events have not left, idx + 1
    ("untold_last", "<i4"),
    ("clock", "<i8"),
    ("has_history", "<i8"),
    ("history_seq", "<i8"),  # the last command whose outcome the database has for good
    ("ruleset", "<i8"),  # the governing set, 0 before the first SETTINGS
    ("governing", "<i8"),  # where it lies in `rulesets`
    ("configured", "<i8"),  # the set that the last SETTINGS brought
    ("last_ruleset", "<i8"),  # the last id that was given
    ("rulesets", RULESET, (RULESETS_MAX,)),
    ("trial", TRIAL, (1,)),
    ("fleet", FLEET, (1,)),
    ("instance", "<i8", (3,)),
    ("fingerprint", "<i8", (2,)),
    ("on_lists", "<i8", (16,)),  # entries of each list
    ("decided", "<i8"),  # authorises and sales
    ("operations_live", "<i8"),
    ("payments_used", "<i8"),
    ("operations_used", "<i8"),
    ("operations_free", "<i8"),
    ("accounts_used", "<i8"),
    ("balances_used", "<i8"),
    ("merchants_used", "<i8"),
    ("rows_used", "<i8"),
    ("listed_used", "<i8"),
    ("card_table", TABLE),
    ("pair_table", TABLE),
    ("bin_table", TABLE),
    ("device_table", TABLE),
    ("ip_table", TABLE),
    ("email_table", TABLE),
    ("device_guests", TABLE),  # rows of other instances alone, newest news last; so the next two
    ("ip_guests", TABLE),
    ("email_guests", TABLE),
    ("approval_table", TABLE),  # of answers: those that hold or moved something
    ("decline_table", TABLE),
    ("answers_used", "<i8"),
    ("closed", TABLE),  # payments that may give way
    ("open", TABLE, (HOLD_DAYS_MAX + 1,)),  # holds and reviews by hold_days; at 0 what is pending
    ("owed", TABLE),  # payments whose reversal the processor has not confirmed
    ("owed_count", "<i8"),
    ("sighted", SIGHTED, (SIGHTED_MAX,)),  # what was seen here, for a fleet; number n at n % length
    ("sighted_count", "<i8"),
    ("pending_count", "<i8"),
    ("context", CONTEXT, (1,)),
    ("found", FOUND, (1,)),
    ("other", VERDICT, (1,)),
    ("user", USER, (1,)),
]
"""What is there once."""


def _tables(c: Capacities) -> list[Any]:
    """Return the fields whose length is a capacity, and the scratch behind them."""
    return [
        ("version", "<i8", (1 + c.payments + c.accounts + 1,)),
        ("opened", "<i8", (16,)),
        ("account_bucket", "<i4", (power_of_two(2 * c.accounts),)),
        ("accounts", ACCOUNT, (c.accounts,)),
        ("balance_bucket", "<i4", (power_of_two(2 * c.balances),)),
        ("balances", BALANCE, (c.balances,)),
        ("merchant_bucket", "<i4", (power_of_two(2 * c.merchants),)),
        ("merchants", MERCHANT, (c.merchants,)),
        ("row_bucket", "<i4", (power_of_two(2 * c.merchant_currencies),)),
        ("rows", MERCHANT_CURRENCY, (c.merchant_currencies,)),
        ("card_bucket", "<i4", (power_of_two(2 * c.cards),)),
        ("cards", CARD, (c.cards,)),
        ("pair_bucket", "<i4", (power_of_two(2 * c.pairs),)),
        ("pairs", PAIR, (c.pairs,)),
        ("bin_bucket", "<i4", (power_of_two(2 * c.bins),)),
        ("bins", BIN, (c.bins,)),
        ("device_bucket", "<i4", (power_of_two(2 * c.devices),)),
        ("devices", SIGHTING, (c.devices,)),
        ("ip_bucket", "<i4", (power_of_two(2 * c.ips),)),
        ("ips", SIGHTING, (c.ips,)),
        ("email_bucket", "<i4", (power_of_two(2 * c.emails),)),
        ("emails", SIGHTING, (c.emails,)),
        ("listed_bucket", "<i4", (power_of_two(2 * c.list_entries),)),
        ("listed", LISTED, (c.list_entries,)),
        ("answer_bucket", "<i4", (power_of_two(2 * c.answers),)),
        ("answers", ANSWER, (c.answers,)),
        ("payment_bucket", "<i4", (power_of_two(2 * c.payments),)),
        ("payments", PAYMENT, (c.payments,)),
        ("operations", OPERATION, (c.operations,)),
        ("out", "<i8", (SLOTS_MAX + BURST_SLOTS, SLOT_WORDS)),
    ]


def state_dtype(capacities: Capacities) -> np.dtype[np.void]:
    """Return the dtype of the one state record for these capacities."""
    return state_record([*SCALARS, *_tables(capacities)], capacities)
