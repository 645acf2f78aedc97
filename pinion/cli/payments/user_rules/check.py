"""`pinion payments rules check`: say what is wrong with files of rules, or how they did on 10,000 requests.

All files together are one set. Nothing in them is run before it is checked. What passes is compiled and
runs on generated requests (`pinion payments traffic`), compiled and as plain Python; both must find the
same. What the engine would know beside a request is drawn at random within its range, so the counts say
that a rule can match, not how often it will.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.payments.rules.vocabulary import VOCABULARY
from engine.rules.compiled import compile_set, hash_of
from engine.rules.language.source import judge
from engine.rules.samples import samples
from engine.rules.trial import Tried, require_fast, tried
from pinion.cli.command import DONE, FAILED
from pinion.cli.kernels import announced_compilation
from pinion.cli.payments.user_rules.generated_requests import generated_requests
from pinion.cli.payments.user_rules.journaled_requests import journaled_requests
from pinion.cli.tables import aligned
from pinion.cli.text_files import text_of

COUNT, SEED = 10_000, 0
EPILOG = """\
Nothing in a file is run before it is checked. What passes is compiled and runs on 10,000 generated requests,
or with --data on the last 10,000 of a journal, compiled and as plain Python, which must say the same, in at
most 200 ns each. What stands beside a request, such as counts and sums, is drawn at random in both cases.
docs/writing-rules.md tells what a rule may have. Exit codes: 0 every rule is taken, 1 some rule is not: the
first fault of each is told by file, line and reason.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="Python files of rules, which make one set"
    )

    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="try them on the requests of this data folder's journal"
    )


def run(args: argparse.Namespace) -> int:
    """Check the files; 1 where a rule is not taken."""
    rules, faults = judge({str(path): text_of(path) for path in args.files}, VOCABULARY)
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        return FAILED
    requests = _requests(args)
    begun = time.perf_counter()
    with announced_compilation():
        made = compile_set(rules)
    compiled_s = time.perf_counter() - begun
    context = samples(VOCABULARY.context.values(), COUNT, np.random.default_rng(SEED))
    found = tried(made, requests, context)
    print(table_of(found))
    print(f"compiled or loaded in {compiled_s:.3f} s; set {hash_of(rules).hex()}")
    require_fast(found)
    return DONE


def _requests(args: argparse.Namespace) -> npt.NDArray[np.int64]:
    """Return what the rules are tried on; a short journal again and again, for few would tell no time."""
    if args.data is None:
        return generated_requests(SEED, COUNT)
    found = journaled_requests(args.data, COUNT, args.applications)
    if len(found) < COUNT:
        print(f"the journal has {len(found):,} requests, which are repeated to {COUNT:,}", file=sys.stderr)
    return np.resize(found, (COUNT, found.shape[1]))


def table_of(found: tuple[Tried, ...]) -> str:
    """Return what became of the rules, a line each."""
    heads = ("rule", "action", f"matched of {COUNT:,}", "ns")
    rows = ((each.rule.name, each.rule.action, f"{each.matched:,}", f"{each.ns:.1f}") for each in found)
    return aligned((heads, *rows), left=2)
