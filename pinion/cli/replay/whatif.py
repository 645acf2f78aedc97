"""`pinion whatif`: decide a journal's commands again under other limits, or under other rules.

    pinion whatif DIR --limit '{"op":"limits","account":1,"max_open_orders":5}'
    pinion whatif DIR --rules clip.py

Two engines replay the journal side by side: one as it was, one in which the limits and rules given hold
from the first order on, whatever the journal sets later. What the second refuses and the first
took are the orders that these would have stopped; what merely names such an order later
(`unknown_order`) is counted apart. From there on the books differ, so the later decisions are
those of a market in which these orders never came: that is the question.
Exit codes: 0 done, 1 the journal cannot be used, 2 a limit cannot.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import msgspec
import numpy as np

from engine.contract.control_words import OWN_RING
from engine.contract.errors import UsageError
from engine.runtime.journal import journal
from engine.runtime.journal.read_ahead import read_ahead
from engine.runtime.replay.eras import EraReplica
from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault
from engine.trading.client_text import given_id
from engine.trading.event_forms import SPREAD
from engine.trading.fields import INSTRUMENT_LIMIT_FIELDS
from engine.trading.instruments import Catalogue, RefusedAtDoor, catalogue
from engine.trading.name import TRADING
from engine.trading.offline.kernels import apply_unnumbered
from engine.trading.records import (
    COMMAND,
    PX_MAX,
    RULE_OPS,
    CommandFlag,
    EventKind,
    Op,
    Reason,
    Role,
    Side,
)
from gateways.json_lines import CommandEncoder, MalformedCommand
from gateways.json_lines.account_limits import AMOUNTS, OF_DEFAULT
from gateways.json_lines.size_by import size_by_of
from pinion.cli.applications import Applications
from pinion.cli.command import DONE
from pinion.cli.journal.data import data_folder, open_journal, read_layout, require_application
from pinion.cli.kernels import announced_compilation
from pinion.cli.outputs import is_standard_output, output, refuse_overwriting
from pinion.cli.replay.whatif_rules import AskedRules, told_rule

EXAMPLE = '{"account":1,"max_open_orders":5}'
WHOSE = ("account", "symbol")
DEFINING = (Op.CURRENCY, Op.INSTRUMENT, Op.ACCOUNT, Op.LIMITS, Op.ACCOUNT_LIMITS, Op.RATE)
"""After these the limits are set again: what they concern may be new, or have been changed."""
LIMITS = {
    Reason.UNKNOWN_ACCOUNT: (
        ("account",),
        "the journal has no such account; give one that it has, or 0 for every one without limits of its own",
    ),
    Reason.OVERFLOW: (("max_quantity",), "at the highest price more than can be counted; give less"),
    Reason.NO_RATE: (
        (*AMOUNTS, "max_drawdown_bps", "max_concentration_ppm"),
        "the account has money or orders in a currency without a rate to its reporting currency",
    ),
    Reason.INVALID_PRICE: (
        ("band_low", "band_high"),
        f"a band begins above 0, ends no lower, and at {PX_MAX} ticks at most; give such prices",
    ),
    Reason.INVALID_FIELD: (
        (*INSTRUMENT_LIMIT_FIELDS, *OF_DEFAULT, *AMOUNTS),
        "a limit is 0 or more, an amount in whole minor units of the reporting currency; give such a number",
    ),
}
"""Why the engine refuses a limit -> the fields that it may be about, and what they must be."""
ENTERING = (Op.NEW, Op.REPLACE)
FOLLOWED = Reason.UNKNOWN_ORDER.name.lower()


class LimitError(UsageError):
    """A --limit that cannot be used; the text says which and why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dir", metavar="DIR", type=Path, help="data folder, or the journal folder in it")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="JSON",
        help="a `limits` line as in a command file (account or symbol); may be repeated",
    )
    parser.add_argument(
        "--rules",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a file of rules that would judge every order (docs/trading-rules.md); several make one set",
    )
    parser.add_argument(
        "--orders", metavar="FILE", help="write the stopped orders, one JSON a line; - for stdout"
    )


def run(args: argparse.Namespace) -> int:
    """Print what the limits would have changed."""
    limits = [parsed(text) for text in args.limit]
    _refuse_twice(limits)
    if not limits and not args.rules:
        raise UsageError("nothing is asked: give --limit or --rules")
    rules = AskedRules.of_files(args.rules) if args.rules else None
    data_dir = data_folder(args.dir)
    refuse_overwriting([data_dir / journal.FOLDER], {"--orders": args.orders})
    require_application(data_dir, read_layout(data_dir, args.applications), TRADING)
    # Opened ahead: a replay may take an hour, and a name that cannot be written would lose it.
    with nullcontext() if args.orders is None else output(args.orders) as file:
        with announced_compilation():
            question = Question(data_dir, limits, args.applications, rules)
        question.ask()
        _write(file, question)
    _print(question, sys.stderr if is_standard_output(args.orders) else sys.stdout)
    return DONE


def parsed(text: str) -> dict[str, Any]:
    """Return the fields of a --limit."""
    try:
        fields = exact_json.decode(text)
    except DoubledKey as error:
        raise LimitError(f"--limit {text!r}: {error}") from error
    except JsonFault as error:
        raise LimitError(f"--limit {text!r}: not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.get("op", "limits") != "limits":
        raise LimitError(f"--limit {text!r}: give a `limits` line, such as {EXAMPLE}")
    if not any(fields.get(name) is not None for name in WHOSE):
        raise LimitError(
            f"--limit {text!r}: names neither account nor symbol; give one (account 0: every account that "
            f"has no limit of its own), such as {EXAMPLE}"
        )
    if not fields.keys() - {"op", *WHOSE}:
        raise LimitError(f"--limit {text!r}: limits nothing; give a limit, such as {EXAMPLE}")
    return {"op": "limits", **fields}


def _refuse_twice(limits: list[dict[str, Any]]) -> None:
    """Refuse one limit of one account or symbol that is given two values."""
    seen: set[tuple[Any, ...]] = set()
    for fields in limits:
        whose = tuple(str(fields.get(name)) for name in WHOSE)
        for name in fields.keys() - {"op", *WHOSE}:
            if (*whose, name) in seen:
                raise LimitError(
                    f"--limit {msgspec.json.encode(fields).decode()}: {name} is given twice; give it once"
                )
            seen.add((*whose, name))


class Question:
    """The question of `pinion whatif`: the journal, decided twice."""

    def __init__(
        self,
        data_dir: Path,
        limits: list[dict[str, Any]],
        applications: Applications,
        rules: AskedRules | None = None,
    ) -> None:
        self.was, self._reader = open_journal(data_dir, applications=applications)
        self.would, _ = open_journal(data_dir, applications=applications)
        self._limits = limits
        self._rules = rules
        if rules is not None:
            rules.let_govern(self.would)
        self._refusals: dict[int, str] = {}
        self.commands = self.entered = 0
        self.stopped: list[dict[str, Any]] = []

    def ask(self) -> None:
        """Replay; raise LimitError where a limit never became valid."""
        for records, epoch, position in read_ahead(self._reader.stretches(2**62)):
            for replica in (self.was, self.would):
                replica.enter_epoch(epoch)
            commands = records[records["seq"] > 0]
            for part in _cut_behind(commands, np.isin(commands["command"]["op"], (*DEFINING, *RULE_OPS))):
                self._decide(part)
                if int(part["command"]["op"][-1]) in DEFINING:
                    self._set_limits()
                elif self._rules is not None and int(part["command"]["op"][-1]) in RULE_OPS:
                    self._rules.let_govern(self.would)
            if position.seq // 5_000_000 != (position.seq - len(commands)) // 5_000_000:
                print(f"seq {position.seq:,}", file=sys.stderr, flush=True)
        if self._refusals:
            index, why = next(iter(self._refusals.items()))
            raise LimitError(f"--limit {msgspec.json.encode(self._limits[index]).decode()}: {why}")

    def _decide(self, commands: Any) -> None:
        """Apply the same commands to both; note what only the second refuses."""
        labels = None if self._rules is None else self._rules.labels
        before, after = (_refused(replica.apply(commands), labels) for replica in (self.was, self.would))
        self.commands += len(commands)
        entering = np.isin(commands["command"]["op"], ENTERING)
        self.entered += int(entering.sum()) - sum(seq in before for seq in commands["seq"][entering].tolist())
        for entry in commands[entering & np.isin(commands["seq"], [*(after.keys() - before.keys())])]:
            self.stopped.append(_told(entry, after[int(entry["seq"])], catalogue(self.was.state)))

    def _set_limits(self) -> None:
        """Apply the limits to the second engine; remember why one does not fit yet."""
        encoder = CommandEncoder(catalogue(self.would.state), roles=Role.ALL)
        self._refusals = {}
        for index, fields in enumerate(self._limits):
            command = np.zeros(1, COMMAND)
            try:
                encoder.encode(fields, command[0])
            except (RefusedAtDoor, MalformedCommand) as error:
                self._refusals[index] = str(error)
                continue
            refused = _apply(self.would, command)
            if refused is not None:
                self._refusals[index] = _why(refused, fields)


def _why(reason: Reason, fields: dict[str, Any]) -> str:
    """Return what is wrong with a limit that the engine refused: fields, values and the mend."""
    names, mend = LIMITS.get(reason, ((), "the engine refuses it; give another limit"))
    given = ", ".join(f"{name} = {fields[name]!r}" for name in names if name in fields)
    return f"{given or 'the limit'}: {mend} ({reason.name.lower()})"


def _apply(replica: EraReplica, command: Any) -> Reason | None:
    """Apply a command that has no number; return why the engine refuses it, if it does."""
    s = replica.state[0]
    slots = apply_unnumbered(replica.state, command, OWN_RING)
    event = SPREAD.events_of(s["out"][:slots])[-1]  # others are of the sweep, at its head
    if event["kind"] == EventKind.REJECTED and event["op"] in (Op.LIMITS, Op.ACCOUNT_LIMITS):
        return Reason(int(event["reason"]))
    return None


def _refused(events: Any, labels: Sequence[str] | None) -> dict[int, str]:
    """Return seq -> reason of the rejected commands; labels : of the rules that are asked about."""
    rejected = events[events["kind"] == EventKind.REJECTED]
    found = {
        seq: Reason(reason).name.lower()
        for seq, reason in zip(rejected["seq"].tolist(), rejected["reason"].tolist(), strict=True)
    }
    if labels is not None:
        for event in rejected[rejected["reason"] == Reason.RULE]:
            found[int(event["seq"])] = told_rule(event, labels)
    return found


def _cut_behind(records: Any, marks: Any) -> Iterator[Any]:
    """Yield the records in parts that end behind a marked one, or at the end."""
    first = 0
    for at in np.flatnonzero(marks).tolist():
        yield records[first : at + 1]
        first = at + 1
    if first < len(records):
        yield records[first:]


def _told(entry: Any, reason: str, known: Catalogue) -> dict[str, Any]:
    """Return a stopped order as JSON."""
    command = entry["command"]
    told: dict[str, Any] = {
        "seq": int(entry["seq"]),
        "eng_ts": int(entry["eng_ts"]),
        "op": Op(int(command["op"])).name.lower(),
        "account": int(command["account"]),
        "client_order_id": given_id(int(command["client_order_id"]), *command["text"].tolist()),
        "reason": reason,
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


def _write(file: BinaryIO | None, question: Question) -> None:
    """Write the stopped orders where they are wanted."""
    if file is not None:
        file.write(b"".join(msgspec.json.encode(each) + b"\n" for each in question.stopped))


def _print(question: Question, summary: TextIO) -> None:
    """Print what it comes to."""
    by_reason = Counter(each["reason"] for each in question.stopped)
    by_account = Counter(each["account"] for each in question.stopped if each["reason"] != FOLLOWED)
    was, would = (replica.state[0] for replica in (question.was, question.would))
    print(
        f"commands        {question.commands:,}, orders and replaces taken {question.entered:,}", file=summary
    )
    followed = by_reason.pop(FOLLOWED, 0)
    print(f"would be stopped {len(question.stopped) - followed:,}", file=summary)
    for reason, count in by_reason.most_common():
        print(f"  {reason:<22} {count:,}", file=summary)
    for account, count in by_account.most_common(10):
        print(f"  account {account:<14} {count:,}", file=summary)
    print(f"named one later {followed:,}", file=summary)
    trades = int(was["trade_count"]), int(would["trade_count"])
    print(f"trades          {trades[0]:,} were, {trades[1]:,} would be", file=summary)
