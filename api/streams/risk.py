"""The `risk` channel: limits in use, equity and latches of accounts (exchange rules S21 and S25).

Two kinds of news:
    latched     a limit of an account, or a kill that concerns it, was warned of, latched or lifted: kept,
                never merged, sent as soon as it is durable
    snapshot,   what holds for the accounts and how near it is. Copies are sampled: marks move equity and
    delta       exposure without a report. A delta has the accounts that differ from what this reader was
                sent last, each whole, so that applying it twice does no harm

        seq of the copies   410      433      460
        fast reader         snapshot 410->433 433->460     prev_seq -> seq
        slow reader         snapshot          410->460

A copy is shown when the seq that was applied while it was taken is durable: a mark or a trade that it
contains can no longer be lost.
"""

import time
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from api.limits import risk_document
from api.live import LiveSource
from api.streams.outbox import Outbox
from api.streams.recent import EventHistory
from api.streams.requests import RefusedRequest
from engine.trading.records import EventKind
from gateways.json_lines.events import EventFormatter, event_words
from ringbuf.seqlock import TornReadError

SAMPLE_S = 0.25
"""Between the beginnings of two rounds through the accounts; a round of many takes longer."""
SAMPLED_PER_TURN = 32
"""Accounts that are copied before the pump looks after the event ring again: 5 ms or so."""
ACCOUNTS_MAX = 1024
"""Of one subscription."""
LATCHES_KEPT = 2**12

Scope = tuple[int, ...] | None
"""The accounts of a subscription; None: of every account those with limits of their own or latches."""


class RiskFeed:
    """What is known of the accounts of one scope, for all its readers."""

    def __init__(self, scope: Scope, epoch: int) -> None:
        self.scope = scope
        self.epoch = epoch
        self.seq = 0
        """Applied when the newest copies were taken."""
        self.revision = 0
        """Counts what was shown; 0 until all accounts were copied once."""
        self.accounts: dict[int, tuple[int, bytes]] = {}
        """Account -> revision of its newest change, and it as JSON."""
        self.readers: dict[Outbox, RiskReader] = {}
        self.head = _open_head({"channel": "risk", "type": "latched", "account": _named(scope)})

    def publish(self, copied: dict[int, bytes], seq: int) -> None:
        """Show copies as of seq, and mark them with every reader where one differs from what was shown."""
        changed = {
            account: encoded
            for account, encoded in copied.items()
            if account not in self.accounts or self.accounts[account][1] != encoded
        }
        if changed or self.revision == 0:
            self.seq = seq
            self.revision += 1
            self.accounts |= {account: (self.revision, encoded) for account, encoded in changed.items()}
            for reader in self.readers.values():
                reader.outbox.mark(reader)

    def message(self, after: int, prev_seq: int) -> bytes | None:
        """Return what changed behind a revision, None where nothing did; behind 0 the snapshot.

        prev_seq : of the message before it
        """
        if self.revision == after:
            return None
        head: dict[str, Any] = {"channel": "risk", "type": "delta" if after else "snapshot"}
        head |= {"account": _named(self.scope), "epoch": self.epoch}
        if after:
            head["prev_seq"] = prev_seq
        head |= {"seq": self.seq, "send_ts": time.time_ns()}
        rows = b",".join(encoded for revision, encoded in self.accounts.values() if revision > after)
        return msgspec.json.encode(head)[:-1] + b',"accounts":[' + rows + b"]}"


class RiskReader:
    """One reader's place in a feed."""

    def __init__(self, feed: RiskFeed, outbox: Outbox) -> None:
        self.feed = feed
        self.outbox = outbox
        self._revision = self._seq = 0

    def message(self) -> bytes | None:
        """Return the snapshot at first, then what changed since the last message."""
        message = self.feed.message(self._revision, self._seq)
        self._revision, self._seq = self.feed.revision, self.feed.seq
        return message


class RiskHub:
    """The subscriptions to `risk` of one process, and the latches of late."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source
        self.feeds: dict[Scope, RiskFeed] = {}
        self.latches = EventHistory(LATCHES_KEPT)
        self.urgent: dict[int, None] = {}
        """Accounts of which something latched: they are copied before the others."""
        self._formatter = EventFormatter(source.view.catalogue)

    def subscribe(self, outbox: Outbox, scope: Scope, after_seq: int | None, complete_seq: int) -> None:
        """Send a snapshot, every change after it and every latch; and the latches since `after_seq`."""
        if after_seq is not None and not self.latches.reaches(after_seq):
            raise RefusedRequest(
                "resume_too_old",
                f"latches after seq {after_seq} are no longer in memory: subscribe without after_seq, "
                f"the snapshot has those that hold",
                field="after_seq",
            )
        if len(self.accounts_of(scope)) > ACCOUNTS_MAX:
            detail = f"more than {ACCOUNTS_MAX} accounts have limits: subscribe to them one by one"
            raise RefusedRequest("too_many_accounts", detail, field="account")
        feed = self.feeds.setdefault(scope, RiskFeed(scope, self._source.epoch))
        reader = feed.readers[outbox] = RiskReader(feed, outbox)
        outbox.start_at(complete_seq if after_seq is None else after_seq)
        if after_seq is not None:
            self._send(feed, self.latches.after(after_seq), (outbox,), complete_seq)
        outbox.mark(reader)

    def unsubscribe(self, outbox: Outbox, scope: Scope) -> bool:
        """Stop; tell whether it was subscribed."""
        feed = self.feeds.get(scope)
        reader = feed.readers.pop(outbox, None) if feed else None
        if feed is None or reader is None:
            return False
        outbox.unmark(reader)
        if not feed.readers:
            del self.feeds[scope]
        return True

    def take_events(self, events: Any, complete_seq: int) -> None:
        """Keep the latches among drained events and send them to whom they concern."""
        latches = events[events["kind"] == EventKind.LATCHED]
        if not len(latches):
            return
        self.latches.append(latches)
        if self.feeds:
            self.urgent |= dict.fromkeys(latches["account"][latches["account"] > 0].tolist())
        for feed in self.feeds.values():
            self._send(feed, latches, feed.readers, complete_seq)

    def mark_gap(self, seq: int) -> None:
        """Note that events up to `seq` were overwritten unread: readers must resynchronise."""
        self.latches.mark_gap(seq)
        for feed in self.feeds.values():
            for outbox in feed.readers:
                outbox.overrun()

    def accounts_of(self, scope: Scope) -> list[int]:
        """Return the accounts of a scope that there are."""
        view = self._source.view
        if scope is None:
            return view.limited_accounts()
        return [account for account in scope if view.account_idx(account) is not None]

    def sampled(self, feed: RiskFeed) -> list[int]:
        """Return the accounts to copy for a feed: also those that were shown and have no limit any more."""
        return [*self.accounts_of(feed.scope), *feed.accounts]

    def _send(self, feed: RiskFeed, latches: Any, outboxes: Iterable[Outbox], complete_seq: int) -> None:
        """Send latches of the feed's accounts, and kills of an instrument or of the venue."""
        if feed.scope is not None:
            latches = latches[np.isin(latches["account"], (0, *feed.scope))]
        if not len(latches):
            return
        self._formatter.catalogue = self._source.view.catalogue
        documents = []
        for event_idx, words in zip(latches["event_idx"].tolist(), event_words(latches), strict=True):
            fields = self._formatter.fields_of(words)
            assert fields is not None
            documents.append({"event_idx": event_idx, **fields, "cancelled_count": words.qty})
        body = msgspec.json.encode(documents)[1:-1]
        for outbox in list(outboxes):
            outbox.keep(feed.head, body, complete_seq)


class RiskSampler:
    """Copies the accounts that somebody watches, in rounds, and shows the copies once durable."""

    def __init__(self, hub: RiskHub, source: LiveSource) -> None:
        self._hub = hub
        self._source = source
        self._due = 0.0
        self._left: list[int] = []  # accounts of this round that were not copied yet
        self._round: list[RiskFeed] = []  # feeds of which every account is in this round
        self._copied: dict[int, bytes] = {}  # in this round
        self._seq = 0  # applied when the last of the copies was taken
        self._is_held = False  # for it was not durable

    def sample(self, now: float) -> bool:
        """Do one bounded part; tell whether there is more to do at once."""
        hub = self._hub
        if not hub.feeds:
            self._left, self._round, self._copied, self._is_held = [], [], {}, False
            hub.urgent.clear()
            return False
        if self._is_held and not self._publish():
            return False  # nothing newer is taken before what was copied is durable
        is_due = not self._left and now >= self._due
        if is_due:
            self._due = now + SAMPLE_S
            self._round, self._copied = list(hub.feeds.values()), {}
            self._left = list(dict.fromkeys(account for feed in self._round for account in hub.sampled(feed)))
        if is_due or self._left or hub.urgent:
            self._copy()
            self._publish()
        return bool(self._left)

    def _copy(self) -> None:
        """Copy the next accounts, those of which something latched first."""
        urgent = list(self._hub.urgent)[:SAMPLED_PER_TURN]
        first, self._left = self._left[:SAMPLED_PER_TURN], self._left[SAMPLED_PER_TURN:]
        for account in dict.fromkeys((*urgent, *first)):
            self._hub.urgent.pop(account, None)
            try:
                view = self._source.view.account(account)
            except TornReadError:
                self._left.append(account)  # it is being hammered: the next turn tries again
                continue
            if view is not None:
                self._copied[account] = msgspec.json.encode(risk_document(view))
        self._seq = self._source.view.seq  # read behind the copies: no later command is in them

    def _publish(self) -> bool:
        """Show what was copied where it is durable; tell whether it is."""
        self._is_held = self._seq > self._source.durable_seq()
        if self._is_held:
            return False
        for feed in self._hub.feeds.values():
            is_whole = feed in self._round and not self._left
            if feed.revision or is_whole:  # a snapshot has all accounts
                feed.publish(self._of(feed), self._seq)
        return True

    def _of(self, feed: RiskFeed) -> dict[int, bytes]:
        """Return the copies that a feed shows."""
        chosen = self._copied if feed.scope is None else feed.scope
        return {account: self._copied[account] for account in chosen if account in self._copied}


def _named(scope: Scope) -> int | None:
    """Return the account of a subscription to a single one."""
    return scope[0] if scope is not None and len(scope) == 1 else None


def _open_head(head: dict[str, Any]) -> bytes:
    return msgspec.json.encode(head)[:-1] + b',"data":['
