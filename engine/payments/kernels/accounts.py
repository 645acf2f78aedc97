"""Accounts and merchants by name, and what belongs to each in a currency."""

import numpy as np

from engine.payments.kernels.rows import NIL
from engine.payments.kernels.tables import link, mixed
from ringbuf.kernel import inlined, kernel

CURRENCY_BITS = 16


@inlined
def account_bucket_of(s, account):
    """Return the bucket of an account's number."""
    return mixed(account) & (len(s.account_bucket) - 1)


@inlined
def find_account(s, account):
    """Return the row of an account, or NIL."""
    at = np.int64(s.account_bucket[account_bucket_of(s, account)]) - 1
    while at != NIL and s.accounts[at].account != account:
        at = np.int64(s.accounts[at].chain) - 1
    return at


@inlined
def balance_bucket_of(s, account, currency):
    """Return the bucket of a balance; account: its row."""
    return mixed(account << CURRENCY_BITS | currency) & (len(s.balance_bucket) - 1)


@inlined
def find_balance(s, account, currency):
    """Return the row of an account's balance in a currency, or NIL; account: its row."""
    at = np.int64(s.balance_bucket[balance_bucket_of(s, account, currency)]) - 1
    while at != NIL and (s.balances[at].account != account or s.balances[at].currency != currency):
        at = np.int64(s.balances[at].chain) - 1
    return at


@kernel
def add_balance(s, account, currency, exponent):
    """Give an account a balance in a currency, empty and without limits; NIL where there is no room."""
    at = s.balances_used
    if at == len(s.balances):
        return NIL
    s.balances_used += 1
    bucket = balance_bucket_of(s, account, currency)
    link(s.balance_bucket, s.balances, bucket, at)
    s.balances[at].account = account
    s.balances[at].currency = currency
    s.balances[at].exponent = exponent
    s.balances[at].amount_min = NIL
    s.balances[at].amount_max = NIL
    s.balances[at].sum_limit = NIL
    s.balances[at].next = s.accounts[account].balances
    s.accounts[account].balances = at + 1
    return at


@inlined
def merchant_bucket_of(s, first, second, third):
    """Return the bucket of a merchant's name, three words."""
    return mixed(first ^ mixed(second ^ mixed(third))) & (len(s.merchant_bucket) - 1)


@inlined
def find_merchant(s, first, second, third):
    """Return the row of a merchant, or NIL."""
    at = np.int64(s.merchant_bucket[merchant_bucket_of(s, first, second, third)]) - 1
    while at != NIL:
        name = s.merchants[at].name
        if name[0] == first and name[1] == second and name[2] == third:
            break
        at = np.int64(s.merchants[at].chain) - 1
    return at


@inlined
def row_bucket_of(s, merchant, currency):
    """Return the bucket of what a merchant has in a currency; merchant: its row."""
    return mixed(merchant << CURRENCY_BITS | currency) & (len(s.row_bucket) - 1)


@inlined
def find_row(s, merchant, currency):
    """Return the row of what a merchant has in a currency, or NIL; merchant: its row."""
    at = np.int64(s.row_bucket[row_bucket_of(s, merchant, currency)]) - 1
    while at != NIL and (s.rows[at].merchant != merchant or s.rows[at].currency != currency):
        at = np.int64(s.rows[at].chain) - 1
    return at


@kernel
def add_row(s, merchant, currency):
    """Begin a merchant's row in a currency, without limits; NIL where there is no room."""
    at = s.rows_used
    if at == len(s.rows):
        return NIL
    s.rows_used += 1
    bucket = row_bucket_of(s, merchant, currency)
    link(s.row_bucket, s.rows, bucket, at)
    s.rows[at].merchant = merchant
    s.rows[at].currency = currency
    lift_limits(s, at)
    s.rows[at].next = s.merchants[merchant].rows
    s.merchants[merchant].rows = at + 1
    return at


@inlined
def lift_limits(s, at):
    """Leave a merchant's row without limits."""
    s.rows[at].amount_min = NIL
    s.rows[at].amount_max = NIL
    s.rows[at].daily = NIL
    s.rows[at].sca_above = NIL
    s.rows[at].geo_above = NIL
