"""`pinion rules check`: say what is wrong with files of rules, or how they did on 10,000 orders.

All files together are one set. Nothing in them is run before it is checked. What passes is compiled and runs
on orders whose numbers are drawn at random from all that they can be, ends included, or with --data on the
last new orders of a journal, compiled and as plain Python; both must say the same. What the engine knows
beside an order is drawn at random in both cases, so the counts say that a rule can refuse, not how often it
will: `pinion whatif DIR --rules FILE` tells that of a journal.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.contract.errors import ToldError
from engine.rules.compiled import compile_set
from engine.rules.language.source import judge
from engine.rules.samples import samples
from engine.rules.store import source_hash
from engine.rules.trial import Tried, require_fast, tried
from engine.trading.name import TRADING
from engine.trading.records import MONEY_MAX, CommandFlag, Op, OrderType
from engine.trading.rules.vocabulary import FIELDS, VOCABULARY
from pinion.cli.applications import Applications
from pinion.cli.command import DONE, FAILED
from pinion.cli.journal.data import data_folder, open_journal, read_layout, require_application
from pinion.cli.kernels import announced_compilation
from pinion.cli.tables import aligned
from pinion.cli.text_files import texts_by_name

COUNT, SEED = 10_000, 0
NS_PER_MS = 1_000_000
EPILOG = """\
A rule may take 200 ns. docs/trading-rules.md tells what a rule may have. Exit codes: 0 every rule is taken,
1 some rule is not: the first fault of each is told by file, line and reason.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="Python files of rules, which make one set"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="try them on the new orders of this data folder's journal"
    )


def run(args: argparse.Namespace) -> int:
    """Check the files; 1 where a rule is not taken."""
    rules, faults = judge(texts_by_name(args.files), VOCABULARY)
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        return FAILED
    luck = np.random.default_rng(SEED)
    orders = samples(FIELDS.values(), COUNT, luck)
    if args.data is not None:
        orders = np.resize(journaled_orders(args.data, args.applications), (COUNT, len(FIELDS)))
    begun = time.perf_counter()
    with announced_compilation():
        made = compile_set(rules)
    compiled_s = time.perf_counter() - begun
    found = tried(made, orders, samples(VOCABULARY.context.values(), COUNT, luck))
    print(table_of(found))
    print(f"compiled or loaded in {compiled_s:.3f} s; set {source_hash(rules).hex()}")
    require_fast(found)
    return DONE


def table_of(found: tuple[Tried, ...]) -> str:
    """Return what became of the rules, a line each."""
    heads = ("rule", "reason", f"refused of {COUNT:,}", "faults", "ns")
    rows = (
        (each.rule.name, each.rule.code, f"{each.matched:,}", f"{each.faults:,}", f"{each.ns:.1f}")
        for each in found
    )
    return aligned((heads, *rows), left=2)


def journaled_orders(path: Path, applications: Applications) -> npt.NDArray[np.int64]:
    """Return the last new orders of a journal as rules see them, COUNT at most: int64[.., FIELDS]."""
    data_dir = data_folder(path)
    require_application(data_dir, read_layout(data_dir, applications), TRADING)
    replica, reader = open_journal(data_dir, applications=applications)
    kept: list[npt.NDArray[np.void]] = []
    for records, epoch, _ in reader.stretches(2**62):
        replica.enter_epoch(epoch)
        replica.skip(records)
        entries = records[(records["seq"] > 0) & (records["command"]["op"] == Op.NEW)]
        kept = [np.concatenate([*kept, entries])[-COUNT:].copy()]
    replica.arrive()
    if not kept or not len(kept[0]):
        raise ToldError(f"--data {path}: its journal has no new order; leave --data out")
    return _rows(kept[0], replica.state[0])


def _rows(entries: npt.NDArray[np.void], s: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    """Return new orders as rules see them; what is out of its range, such as no price, lies at its end."""
    commands = entries["command"]
    book = np.clip(commands["instrument"], 0, max(int(s["books_used"]) - 1, 0))
    scale = s["books"]["scale"][book]
    symbols = s["listings"]["symbol"][book]
    exact = [
        int(px) * int(qty) * int(by)
        for px, qty, by in zip(commands["px"], commands["qty"], scale, strict=True)
    ]
    made = {
        "symbol": np.where(symbols[:, 1] == 0, symbols[:, 0], 0),
        "is_replace": np.zeros(len(entries), np.int64),
        "type": np.minimum(commands["order_type"], OrderType.MARKET),
        "post_only": commands["flags"] & CommandFlag.POST_ONLY != 0,
        "leaves": commands["qty"],
        "more": commands["qty"],
        "notional": np.array([min(each, MONEY_MAX) for each in exact], np.int64),
        "old_px": np.zeros(len(entries), np.int64),
        "ts_ms": entries["eng_ts"] // NS_PER_MS,
        "scale": scale,
    }
    columns = [
        np.clip(made[name] if name in made else commands[name], least, most)
        for name, (least, most) in FIELDS.items()
    ]
    return np.stack(columns, axis=1).astype(np.int64)
