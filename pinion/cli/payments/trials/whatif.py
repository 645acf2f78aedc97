"""`pinion payments whatif`: decide a journal's payments again under other rules.

    pinion payments whatif var/payments --rules other.toml --rules night.py

A file in TOML has [payments.rules], as a configuration has it, one in Python has user rules; what is left out
is as in the set that governed.
The journal is replayed as it was, and the other set judges every payment beside it, on the same state, just
before what was decided is applied: so each change is one payment by itself, as in shadow. Where the journal
changes its rules the other set goes on beside those that govern from there on; while the journal tries a set
itself payments are left out, and counted. What changes is told by pair of codes, by merchant, and with
examples.
Amounts are in minor units of their currency, as requests have them.
Exit codes: 0 done, 1 the journal cannot be used or a file is not there, 2 the rules cannot be used.
"""

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import numpy as np

from engine.contract.errors import UsageError
from engine.payments.codes import BY_NUMBER
from engine.payments.command_words import MERCHANT, MERCHANT_WORDS, REQUEST_ID, REQUEST_ID_WORDS
from engine.payments.currencies import LETTERS
from engine.payments.name import PAYMENTS
from engine.payments.records import EventKind, Op
from engine.payments.rules.vocabulary import VOCABULARY
from engine.payments.texts import words_text
from engine.payments.view.live_view import LiveView
from engine.rules.language.source import UserRule, read_set
from engine.rules.loader import offer
from engine.rules.stored import FOLDER
from engine.runtime.journal.read_ahead import read_ahead
from gateways.payments.rule_forms import RulesetBody
from gateways.payments.rule_names import Names, StoredNames, rule_name
from pinion.cli.arguments import whole_argument
from pinion.cli.command import DONE
from pinion.cli.journal.data import data_folder, open_journal, read_layout, require_application
from pinion.cli.kernels import announced_compilation
from pinion.cli.payments.trials.candidate import Candidate
from pinion.cli.text_files import text_of

CODE_BITS = 8
EXAMPLES, MERCHANTS_SHOWN = 5, 10
SEQ = whole_argument(1, 2**62, 1000)
ABOUT_RULES = (Op.SETTINGS, Op.RULESET, Op.ACTIVATE, Op.TRIAL)
PIECE = 256
"""Commands at a time during a trial of the journal's own, so that its end is seen soon behind it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dir", metavar="DIR", type=Path, help="data folder, or the journal folder in it")
    parser.add_argument(
        "--rules",
        metavar="FILE",
        type=Path,
        required=True,
        action="append",
        help="TOML with [payments.rules], or Python with user rules; several for several files",
    )
    parser.add_argument("--from", dest="first", type=SEQ, default=1, metavar="SEQ", help="the first command")
    parser.add_argument("--to", dest="last", type=SEQ, default=2**62, metavar="SEQ", help="the last one")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def run(args: argparse.Namespace) -> int:
    """Print what the rules would have changed."""
    if args.first > args.last:
        raise UsageError(
            f"--from {args.first}: is behind --to {args.last}; give the first command, then the last"
        )
    body, rules = asked_rules(args.rules)
    data_dir = data_folder(args.dir)
    require_application(data_dir, read_layout(data_dir, args.applications), PAYMENTS)
    with announced_compilation():
        other = OtherRules(data_dir, body, rules, args)
    began = perf_counter()
    other.ask()
    took_s = perf_counter() - began
    if args.json:
        print(msgspec.json.encode(other.document()).decode())
    else:
        _print(other.document(), took_s)
    return DONE


def asked_rules(paths: list[Path]) -> tuple[RulesetBody, tuple[UserRule, ...]]:
    """Return what the files give, and the user rules in them, which kernels of this process then find."""
    sources = {str(path): text_of(path) for path in paths if path.suffix == ".py"}
    tomls = [path for path in paths if path.suffix != ".py"]
    if len(tomls) > 1:
        raise UsageError(f"--rules {tomls[1]}: {tomls[0]} has parameters already; give one such file")
    body = rules_in(tomls[0]) if tomls else RulesetBody()
    return body, read_set(sources, VOCABULARY) if sources else ()


def rules_in(path: Path) -> RulesetBody:
    """Return the parameters and the order that a file gives; UsageError where it gives none."""
    try:
        content = tomllib.loads(text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--rules {path}: is not valid TOML ({error}); mend it there") from error
    section = content.get("payments", {})
    given = section.get("rules") if isinstance(section, dict) else None
    if not isinstance(given, dict) or not given:
        raise UsageError(f"--rules {path}: has no [payments.rules]; give what shall differ there")
    order = given.pop("order", None)
    return RulesetBody(parameters=given, order=order)


class OtherRules:
    """The journal, decided as it was and judged by another set beside that."""

    def __init__(
        self, data_dir: Path, body: RulesetBody, rules: tuple[UserRule, ...], args: argparse.Namespace
    ) -> None:
        self._replica, self._reader = open_journal(data_dir, applications=args.applications)
        self._source = offer(rules) if rules else None
        self._was_names = StoredNames(data_dir / FOLDER, LiveView(self._replica.state).rules)
        self._would_be_names = tuple(rule.name for rule in rules)
        self._path, self._first, self._last = ", ".join(map(str, args.rules)), args.first, args.last
        self.candidate = Candidate(lambda: self._replica.state, body, self._source, self._path)
        self._is_begun = self._is_on_trial = False
        self.left_out = 0
        """Decided while the journal tried a set of its own."""
        self.decided = 0
        self.pairs: Counter[tuple[int, int]] = Counter()
        self.merchants: Counter[str] = Counter()
        self.amounts: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[int, int], list[dict[str, Any]]] = {}

    def ask(self) -> None:
        """Replay; UsageError where the rules cannot be used."""
        for records, epoch, position in read_ahead(self._reader.stretches(self._last)):
            self._replica.enter_epoch(epoch)
            entries = records[(records["seq"] > 0) & (records["seq"] <= self._last)]
            for part in self._parts(entries):
                self._judge(part)
            if position.seq // 5_000_000 != (position.seq - len(entries)) // 5_000_000:
                print(f"seq {position.seq:,}", file=sys.stderr, flush=True)
            if position.seq >= self._last:
                break
        if not self._is_begun:
            end = self._replica.seq
            raise UsageError(f"--from {self._first}: the journal ends at {end}; give an earlier one")

    def _parts(self, entries: Any) -> list[Any]:
        """Cut entries where the other set may begin: before --from, and behind the first rules of all."""
        cuts = [int(np.searchsorted(entries["seq"], self._first))]
        if self._replica.state[0]["ruleset"] == 0:
            cuts += [int(at) + 1 for at in np.flatnonzero(entries["command"]["op"] == Op.SETTINGS)[:1]]
        return [part for part in np.split(entries, sorted(cuts)) if len(part)]

    def _judge(self, entries: Any) -> None:
        """Apply entries, and count what the other set would have made of them once it has begun."""
        has_rules = self._replica.state[0]["ruleset"] != 0
        if not self._is_begun and has_rules and entries["seq"][0] >= self._first:
            self._is_begun = True
            self._put_beside()
            if not (self.candidate.judges or self._is_on_trial):
                raise UsageError(f"--rules {self._path}: are the rules that govern there; give others")
        if not self._is_begun:
            self._replica.apply(entries)
            return
        changing = np.flatnonzero(np.isin(entries["command"]["op"], ABOUT_RULES))
        done = 0
        for at in changing.tolist():
            self._follow(entries[done:at])
            self.candidate.withdraw()
            self._replica.apply(entries[at : at + 1])
            self._put_beside()
            done = at + 1
        self._follow(entries[done:])

    def _put_beside(self) -> None:
        """Let the other set judge from here on, beside whichever governs, unless the journal tries one."""
        rules = self.candidate.rules()
        self._is_on_trial = rules.trial.is_live
        if not self._is_on_trial:
            self.candidate.begin()
            if self._source is None:
                self._would_be_names = self._was_names(rules.governing)

    def _follow(self, entries: Any) -> None:
        """Apply entries of which none is about rules; behind the end of a trial of the journal's go on."""
        while len(entries):
            count = PIECE if self._is_on_trial else len(entries)
            piece, entries = entries[:count], entries[count:]
            if self._is_on_trial:
                self.left_out += len(_decisions(self._replica.apply(piece)))
                if not self.candidate.rules().trial.is_live:
                    self._put_beside()
            else:
                self._count(piece, self._replica.apply(piece))

    def _count(self, entries: Any, events: Any) -> None:
        """Enter what was decided, and what would have been otherwise."""
        decided, other = _decisions(events), events[events["kind"] == EventKind.DISAGREED]
        self.decided += len(decided)
        was = decided[np.searchsorted(decided["seq"], other["seq"])]
        asked = entries["command"][other["seq"] - int(entries["seq"][0])]
        self._count_pairs(was, other, asked)
        names = asked["words"][:, MERCHANT : MERCHANT + MERCHANT_WORDS].tolist()
        for words, count in Counter(map(tuple, names)).items():
            self.merchants[words_text(words)] += count
        for currency in np.unique(asked["currency"]).tolist():
            is_in_it = asked["currency"] == currency
            for name, events_of in (("was", was), ("would_be", other)):
                self.amounts[LETTERS[currency], name] += int(events_of["approved_amount"][is_in_it].sum())

    def _count_pairs(self, was: Any, other: Any, asked: Any) -> None:
        """Count from which code to which, the pair that came first ahead, and keep some examples of each."""
        both = was["code"].astype(np.int64) << CODE_BITS | other["code"]
        found, firsts, counts = np.unique(both, return_index=True, return_counts=True)
        for at in np.argsort(firsts).tolist():
            pair = int(was["code"][firsts[at]]), int(other["code"][firsts[at]])
            self.pairs[pair] += int(counts[at])
            kept = self.examples.setdefault(pair, [])
            if len(kept) < EXAMPLES:
                for place in np.flatnonzero(both == found[at])[: EXAMPLES - len(kept)].tolist():
                    kept.append(self._example(was[place], other[place], asked[place]))

    def _example(self, before: Any, after: Any, command: Any) -> dict[str, Any]:
        """Return a payment that would have been decided otherwise, as it is shown."""
        return {
            "seq": int(before["seq"]),
            "request_id": words_text(command["words"][REQUEST_ID : REQUEST_ID + REQUEST_ID_WORDS]),
            "merchant": words_text(command["words"][MERCHANT : MERCHANT + MERCHANT_WORDS]),
            "amount": int(command["amount"]),
            "currency": LETTERS[int(command["currency"])],
            "was": _verdict(before, partial(self._was_names, int(before["ruleset"]))),
            "would_be": _verdict(after, lambda: self._would_be_names),
        }

    def document(self) -> dict[str, Any]:
        """Return what was found."""
        ordered = self.pairs.most_common()
        return {
            "decided": self.decided,
            "changed": self.pairs.total(),
            "left_out": self.left_out,
            "pairs": {_named(pair): count for pair, count in ordered},
            "merchants": dict(self.merchants.most_common(MERCHANTS_SHOWN)),
            "approved": {
                currency: {name: self.amounts[currency, name] for name in ("was", "would_be")}
                for currency in sorted({currency for currency, _ in self.amounts})
            },
            "examples": {_named(pair): self.examples[pair] for pair, _ in ordered},
        }


def _decisions(events: Any) -> Any:
    """Return the events that decide a payment."""
    return events[(events["kind"] == EventKind.DECIDED) & (events["payment"] == events["seq"])]


def _verdict(event: Any, names: Callable[[], Names]) -> dict[str, Any]:
    rule = int(event["rule"])
    return {
        "code": BY_NUMBER[int(event["code"])].name,
        "rule": rule_name(rule, names),
        "approved_amount": int(event["approved_amount"]),
    }


def _named(pair: tuple[int, int]) -> str:
    return ">".join(BY_NUMBER[code].name for code in pair)


def _print(document: dict[str, Any], took_s: float) -> None:
    """Print what it comes to."""
    print(f"decided    {document['decided']:,} in {took_s:.1f} s; amounts are in minor units")
    if document["left_out"]:
        print(f"left out   {document['left_out']:,} while the journal tried a set of its own")
    print(f"changed    {document['changed']:,}")
    for pair, count in document["pairs"].items():
        print(f"  {pair:<40} {count:,}")
        for each in document["examples"][pair][:2]:
            where = f"seq {each['seq']}, {each['merchant']}, {each['amount']:,} {each['currency']}"
            rules = (each[name]["rule"] or "no rule" for name in ("was", "would_be"))
            print(f"    {where}: {', would be '.join(rules)}")
    for merchant, count in document["merchants"].items():
        print(f"  merchant {merchant:<31} {count:,}")
    for currency, each in document["approved"].items():
        print(f"approved   {each['was']:,} {currency} of these, would be {each['would_be']:,}")
