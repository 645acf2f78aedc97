"""`pinion whatif`: decide a journal's commands again under other limits, or under other rules.

    pinion whatif DIR --limit '{"op":"limits","account":1,"max_open_orders":5}'
    pinion whatif DIR --rules clip.py

Two engines replay the journal side by side: one as it was, one in which the limits and rules given hold
from the first order on, whatever the journal says of the same limits, or of its rules, later (what its lines
say of others holds). What the second refuses and the first took are the orders that a limit would have
stopped, by its name also where it had latched before, or that a rule would have refused; what merely names
such an order later (`unknown_order`) is counted apart. What latches in one of the two alone is told with what
was measured; a `reset_latch` of the journal lifts in the second what it would have lifted. From the first
difference on the books differ, so the later decisions are those of a market in which these orders never came:
that is the question.
Exit codes: 0 done, 1 the journal cannot be used, 2 a limit cannot.
"""

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine.contract.errors import UsageError
from engine.runtime.journal import journal
from engine.trading.name import TRADING
from pinion.cli.command import DONE
from pinion.cli.journal.data import data_folder, read_layout, require_application
from pinion.cli.kernels import announced_compilation
from pinion.cli.outputs import is_standard_output, output, refuse_overwriting
from pinion.cli.replay.asked_limits import AskedLimits, parsed, refuse_twice
from pinion.cli.replay.outcome import answer, table
from pinion.cli.replay.progress import progress_of
from pinion.cli.replay.question import Document, Question
from pinion.cli.replay.whatif_rules import AskedRules

EXAMPLES = """\
examples:
  pinion whatif DIR --limit '{"account":1,"max_open_orders":5}'
  pinion whatif DIR --limit '{"account":1,"max_drawdown":"500","max_daily_loss":"300"}' \\
                    --limit '{"account":2,"max_fill_rate":"20","fill_window_ms":1000,"on_breach":"warn"}' \\
                    --limit '{"symbol":"XYZ","max_quantity":"100"}' --json > changed.json
every limit of an account or a symbol may be asked for, as in a `limits` line; null lifts one; account 0 is
every account that has none of its own. Losses are measured from the moment at which the account is there.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
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
    parser.add_argument(
        "--json", action="store_true", help="print everything that would change as one JSON, not as a table"
    )


def run(args: argparse.Namespace) -> int:
    """Print what the limits would have changed."""
    limits = [parsed(text) for text in args.limit]
    refuse_twice(limits)
    if not limits and not args.rules:
        raise UsageError("nothing is asked: give --limit or --rules")
    rules = AskedRules.of_files(args.rules) if args.rules else None
    data_dir = data_folder(args.dir)
    refuse_overwriting([data_dir / journal.FOLDER], {"--orders": args.orders})
    is_taken = is_standard_output(args.orders)
    if is_taken and args.json:
        raise UsageError("--orders -: standard output is for --json; give --orders a file")
    require_application(data_dir, read_layout(data_dir, args.applications), TRADING)
    # Opened ahead: a replay may take an hour, and a name that cannot be written would lose it.
    with nullcontext() if args.orders is None else output(args.orders) as file:
        with announced_compilation():
            question = Question(data_dir, AskedLimits(limits), args.applications, rules)
        with progress_of(question):
            question.ask(None if file is None else _Orders(file).tell)
    told = answer(question)
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        for line in table(told):
            print(line, file=sys.stderr if is_taken else sys.stdout)
    return DONE


class _Orders:
    """Writes the stopped orders where they are wanted."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def tell(self, order: Document) -> None:
        """Write one order as a line."""
        self._file.write(msgspec.json.encode(order) + b"\n")
