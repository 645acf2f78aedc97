"""A journal decided twice: as it was, and as it would have been under other limits and rules.

Two engines replay the same commands side by side, each in a thread of its own where there are two
cores. Of their events only the refusals and the latches are kept; what else differs is read from the
two states at the end.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from engine.runtime.journal import journal
from engine.runtime.journal.read_ahead import read_ahead
from engine.runtime.replay.eras import EraReplica
from engine.trading.client_text import given_id
from engine.trading.instruments import Catalogue, catalogue
from engine.trading.records import EVENT, RULE_OPS, CommandFlag, EventKind, LatchLevel, Op, Reason, Side
from gateways.json_lines.events import LIMIT_NAMES, EventFormatter, event_words
from gateways.json_lines.size_by import size_by_of
from pinion.cli.applications import Applications
from pinion.cli.journal.data import open_journal
from pinion.cli.replay.asked_limits import DEFINING, AskedLimits
from pinion.cli.replay.whatif_rules import AskedRules, told_rule

ENTERING = (Op.NEW, Op.REPLACE)
FOLLOWED = Reason.UNKNOWN_ORDER.name.lower()
KEPT_KINDS = (EventKind.REJECTED, EventKind.LATCHED)
LATCHES_TOLD = 10_000
"""Latches that are listed; all are counted."""
PIECE = 2**15
"""Commands that both decide before their refusals are compared."""
TOLD_EVERY = 5_000_000

Document = dict[str, Any]
Tell = Callable[[Document], None]


class Question:
    """The question of `pinion whatif`.

    `name`, `size` and `position` (bytes) are what a progress bar shows.

    Attributes
    ----------
    was, would : the two engines, both behind the last command at the end
    commands, entered : commands of the journal; orders and replaces that were taken
    stopped : limit, or reason -> orders and replaces that were taken and would have been refused
    stopped_accounts : account -> how many of them, but for those that only named a stopped order
    taken : reason -> orders and replaces that were refused for it and would have been taken
    latches, gone : what would have been latched, warned of or lifted, and was not; and the reverse
    latch_counts : (limit, level) -> how many there would have been
    """

    def __init__(
        self,
        data_dir: Path,
        asked: AskedLimits,
        applications: Applications,
        rules: AskedRules | None = None,
    ) -> None:
        self.name = str(data_dir / journal.FOLDER)
        self.size = sum(path.stat().st_size for path in journal.segment_paths(data_dir / journal.FOLDER))
        self.position = 0
        self.was, self._reader = open_journal(data_dir, applications=applications)
        self.would, _ = open_journal(data_dir, applications=applications)
        self.asked = asked
        self._rules = rules
        if rules is not None:
            rules.let_govern(self.would)
        self.commands = self.entered = self.gone_count = 0
        self.stopped: Counter[str] = Counter()
        self.stopped_accounts: Counter[int] = Counter()
        self.taken: Counter[str] = Counter()
        self.latches: list[Document] = []
        self.gone: list[Document] = []
        self.latch_counts: Counter[tuple[str, str | None]] = Counter()
        self._blocking: dict[int, frozenset[str]] = {}  # account -> limits that block it in `would`

    def ask(self, tell: Tell | None = None) -> None:
        """Replay; raise LimitError where a limit never became valid.

        tell : is called for each stopped order
        """
        with ThreadPoolExecutor(1, "whatif") as beside:
            for records, epoch, position in read_ahead(self._reader.stretches(2**62)):
                for replica in (self.was, self.would):
                    replica.enter_epoch(epoch)
                commands = records[records["seq"] > 0]
                for piece in self._pieces(commands):
                    self._decide(piece, beside, tell)
                    if self.asked.are_waiting:
                        self.asked.set(self.would)
                    if self._rules is not None and int(piece["command"]["op"][-1]) in RULE_OPS:
                        self._rules.let_govern(self.would)
                self.position = min(self.size, self.position + records.nbytes)
                if position.seq // TOLD_EVERY != (position.seq - len(commands)) // TOLD_EVERY:
                    if not sys.stderr.isatty():
                        print(f"seq {position.seq:,}", file=sys.stderr, flush=True)
        self.was.arrive()
        self.would.arrive()
        self.asked.refuse_waiting()

    def _pieces(self, commands: Any) -> Iterator[Any]:
        """Yield commands in pieces that end behind what a limit waits for, or what changes the rules."""
        first = 0
        while first < len(commands):
            piece = commands[first : first + PIECE]
            ends = (*(DEFINING if self.asked.are_waiting else ()), *(RULE_OPS if self._rules else ()))
            if ends:
                marks = np.flatnonzero(np.isin(piece["command"]["op"], ends))
                piece = piece[: int(marks[0]) + 1] if len(marks) else piece
            yield piece
            first += len(piece)

    def _decide(self, commands: Any, beside: ThreadPoolExecutor, tell: Tell | None) -> None:
        """Apply the same commands to both; compare what they refuse and latch."""
        other = beside.submit(_told, self.was, commands)
        after = _told(self.would, self.asked.left_out(commands, self.would))
        before = other.result()
        self.commands += len(commands)
        self._compare_latches(before, after)
        before, after = (each[each["kind"] == EventKind.REJECTED] for each in (before, after))
        is_entering = np.isin(commands["command"]["op"], ENTERING)
        first_seq = int(commands["seq"][0])
        before, after = (each[is_entering[each["seq"] - first_seq]] for each in (before, after))
        self.entered += int(is_entering.sum()) - len(before)
        stopped = after[~np.isin(after["seq"], before["seq"])]
        taken = before[~np.isin(before["seq"], after["seq"])]
        self.taken.update(_counted(taken["reason"], _reason_name))
        if len(stopped):
            self._note_stopped(commands[stopped["seq"] - first_seq], stopped, tell)

    def _note_stopped(self, entries: Any, stopped: Any, tell: Tell | None) -> None:
        """Count the commands that are stopped, and tell them one by one where that is wanted."""
        accounts, reasons = entries["command"]["account"], stopped["reason"]
        limits = np.array([_reason_name(reason) for reason in reasons.tolist()], object)
        for place in np.flatnonzero(reasons == Reason.BLOCKED).tolist():
            limits[place] = self._limit_that_blocks(stopped[place])
        if self._rules is not None:
            for place in np.flatnonzero(reasons == Reason.RULE).tolist():
                limits[place] = told_rule(stopped[place], self._rules.labels)
        self.stopped.update(limits.tolist())
        self.stopped_accounts.update(_counted(accounts[limits != FOLLOWED], int))
        if tell is not None:
            known = catalogue(self.was.state)
            for entry, limit, reason in zip(entries, limits.tolist(), reasons.tolist(), strict=True):
                tell(_order(entry, _reason_name(reason), limit, known))

    def _limit_that_blocks(self, rejected: Any) -> str:
        """Return what an account, or its group, was blocked by when a command of this piece came."""
        seq, group = int(rejected["seq"]), int(rejected["px"])
        holder = -group if group else int(rejected["account"])
        limits = self._blocking_since.get(holder, [(0, self._blocking.get(holder, frozenset()))])
        found = next((each for begun, each in reversed(limits) if begun <= seq), frozenset())
        return ", ".join(sorted(found)) or LIMIT_NAMES[int(Reason.BLOCKED)]

    def _compare_latches(self, before: Any, after: Any) -> None:
        """Note what only one of the two latched, and what blocks accounts in the second at which seq."""
        self._blocking_since: dict[int, list[tuple[int, frozenset[str]]]] = {}
        before, after = (each[each["kind"] == EventKind.LATCHED] for each in (before, after))
        if not len(before) and not len(after):
            return
        formatter = EventFormatter(catalogue(self.would.state))
        was = {_key(event): event for event in event_words(before)}
        would = {_key(event): event for event in event_words(after)}
        for key, event in would.items():
            limit, level = LIMIT_NAMES[event.reason], LatchLevel(event.status)
            self._follow_blocks(_holder(event), event.seq, limit, level)
            if key not in was:
                self.latch_counts[limit, _level_name(level)] += 1
                if len(self.latches) < LATCHES_TOLD:
                    self.latches.append(_latch(formatter, event))
        lost = [event for key, event in was.items() if key not in would]
        self.gone_count += len(lost)
        self.gone += [_latch(formatter, event) for event in lost[: LATCHES_TOLD - len(self.gone)]]

    def _follow_blocks(self, holder: int, seq: int, limit: str, level: LatchLevel) -> None:
        if holder == 0 or level in (LatchLevel.WARN, LatchLevel.REDUCE_ONLY):
            return  # what may only reduce is refused for a reason of its own
        held = self._blocking.get(holder, frozenset())
        since = self._blocking_since.setdefault(holder, [(0, held)])
        held = held | {limit} if level != LatchLevel.NONE else held - {limit}
        self._blocking[holder] = held
        since.append((seq, held))


def _told(replica: EraReplica, commands: Any) -> Any:
    """Apply commands; return the refusals and latches among their events."""
    parts = [batch[np.isin(batch["kind"], KEPT_KINDS)] for batch in replica.batches(commands)]
    return np.concatenate(parts) if parts else np.zeros(0, EVENT)


def _counted(values: Any, name: Callable[[int], Any]) -> dict[Any, int]:
    """Return how often each value is there, by its name."""
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(map(name, found.tolist()), counts.tolist(), strict=True))


def _reason_name(reason: int) -> str:
    return Reason(reason).name.lower()


def _level_name(level: LatchLevel) -> str | None:
    return None if level == LatchLevel.NONE else level.name.lower()


def _key(event: Any) -> tuple[int, ...]:
    """Return by what two latches are the same: command, whose, which limit, where, which level."""
    return (event.seq, _holder(event), event.reason, event.instrument, event.status)


def _holder(event: Any) -> int:
    """Return the account of a LATCHED, of a group its number with the sign changed, 0 for neither."""
    return int(event.account or -event.client_order_id)


def _latch(formatter: EventFormatter, event: Any) -> Document:
    """Return a latch as JSON."""
    fields = formatter.fields_of(event)
    assert fields is not None
    del fields["event"]
    return fields | {"cancelled_count": event.qty}


def _order(entry: Any, reason: str, limit: str, known: Catalogue) -> Document:
    """Return a stopped order as JSON."""
    command = entry["command"]
    told: Document = {
        "seq": int(entry["seq"]),
        "eng_ts": int(entry["eng_ts"]),
        "op": Op(int(command["op"])).name.lower(),
        "account": int(command["account"]),
        "client_order_id": given_id(int(command["client_order_id"]), *command["text"].tolist()),
        "reason": reason,
        "limit": None if limit == FOLLOWED else limit,
    }
    if command["op"] == Op.NEW:
        instrument = known.instruments[int(command["instrument"])]
        told["symbol"] = instrument.symbol
        told["side"] = Side(int(command["side"])).name.lower()
        told["price"] = instrument.price_text(int(command["px"]))
        if command["flags"] & CommandFlag.SIZED:
            told["size_by"] = size_by_of(int(command["qty"]), int(command["order_id"]), instrument)
        else:
            told["quantity"] = instrument.quantity_text(int(command["qty"]))
        if command["flags"] & CommandFlag.REDUCE_ONLY:
            told["reduce_only"] = True
    return told
