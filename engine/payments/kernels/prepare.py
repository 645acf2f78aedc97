"""Bring into the cache what a command will touch, while earlier ones are applied.

A payment touches some ten tables, each found through a bucket. So whoever applies a batch gives hints for
commands ahead, a stage at a time (engine/contract/batches.py): buckets first, then the rows they lead to,
then what the rows lead to. Nothing is written: each stage finds again what the one
before has brought.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import CARD, DEVICE, EMAIL, IP, KEY
from engine.payments.kernels.accounts import account_bucket_of, balance_bucket_of
from engine.payments.kernels.gather import pair_hash
from engine.payments.kernels.rows import BUCKETS
from ringbuf.atomics import prefetch
from ringbuf.kernel import inlined

AHEAD = 4
"""So many payments are decided before the one of the last stage: it will take a row that far ahead."""


@inlined
def prepare(s, command, stage, place):
    """Give the hints of one stage (0 to 2) for a command that is to come."""
    if np.int64(command["op"]) != k.OP_PAY:
        return
    if stage == 0:
        _prepare_buckets(s, command)
    elif stage == 1:
        _prepare_rows(s, command)
    else:
        _prepare_balance(s, command)


@inlined
def _at(buckets, hashed):
    """Return the bucket of a hash."""
    return hashed & (len(buckets) - 1)


@inlined
def _first(buckets, hashed):
    """Return the first row of a bucket; row 0 stands for none, a hint may be of anything."""
    return max(np.int64(buckets[hashed & (len(buckets) - 1)]) - 1, 0)


@inlined
def _prepare_buckets(s, command):
    words = command["words"]
    prefetch(s.answer_bucket, _at(s.answer_bucket, words[KEY]))
    prefetch(s.account_bucket, account_bucket_of(s, command["account"]))
    prefetch(s.card_bucket, _at(s.card_bucket, words[CARD]))
    prefetch(s.pair_bucket, _at(s.pair_bucket, pair_hash(words)))
    prefetch(s.device_bucket, _at(s.device_bucket, words[DEVICE]))
    prefetch(s.ip_bucket, _at(s.ip_bucket, words[IP]))
    prefetch(s.email_bucket, _at(s.email_bucket, words[EMAIL]))
    if s.listed_used != 0:
        prefetch(s.listed_bucket, _at(s.listed_bucket, words[CARD]))


@inlined
def _prepare_rows(s, command):
    words = command["words"]
    account = _first(s.account_bucket, account_bucket_of(s, command["account"]))
    prefetch(s.accounts, account)
    prefetch(s.accounts[account].count.buckets, 0)
    prefetch(s.version, 1 + len(s.payments) + account)
    prefetch(s.balance_bucket, balance_bucket_of(s, account, np.int64(command["currency"])))
    prefetch(s.answers, _first(s.answer_bucket, words[KEY]))
    card = _first(s.card_bucket, words[CARD])
    prefetch(s.cards, card)
    prefetch(s.cards[card].minute.buckets, 0)
    prefetch(s.cards[card].hour.buckets, 0)
    prefetch(s.cards[card].declines.buckets, 0)
    prefetch(s.pairs, _first(s.pair_bucket, pair_hash(words)))
    _prepare_sightings(s.devices, _first(s.device_bucket, words[DEVICE]))
    _prepare_sightings(s.ips, _first(s.ip_bucket, words[IP]))
    if s.email_table.used != 0:
        _prepare_sightings(s.emails, _first(s.email_bucket, words[EMAIL]))


@inlined
def _prepare_sightings(rows, at):
    prefetch(rows, at)
    prefetch(rows[at].seen, 0)


@inlined
def _prepare_neighbours(rows, at):
    """Bring the rows between which one stands in the order of use: it will leave them."""
    prefetch(rows, max(np.int64(rows[at].older) - 1, 0))
    prefetch(rows, max(np.int64(rows[at].newer) - 1, 0))


@inlined
def _prepare_balance(s, command):
    words = command["words"]
    account = _first(s.account_bucket, account_bucket_of(s, command["account"]))
    balance = _first(s.balance_bucket, balance_bucket_of(s, account, np.int64(command["currency"])))
    prefetch(s.balances, balance)
    prefetch(s.balances[balance].staged, 0)
    prefetch(s.balances[balance].sum_24h.buckets, 0)
    prefetch(s.balances[balance].sum_24h.buckets, BUCKETS - 1)
    _prepare_neighbours(s.cards, _first(s.card_bucket, words[CARD]))
    _prepare_neighbours(s.devices, _first(s.device_bucket, words[DEVICE]))
    _prepare_neighbours(s.ips, _first(s.ip_bucket, words[IP]))
    payment = min(s.payments_used + AHEAD, len(s.payments) - 1)
    prefetch(s.payments, payment)
    prefetch(s.payments[payment].request_id, 0)
    prefetch(s.payments[payment].merchant_name, 0)
    answer = min(s.answers_used + AHEAD, len(s.answers) - 1)
    prefetch(s.answers, answer)
