"""`pinion payments minimise`: the shortest sequence of requests that still shows a difference, as a capture.

Each trial starts the old service afresh by its command and decides with an engine of its own. First what has
to do with the request is tried, the smallest part first; then requests are left out until none can be. Set-up
is part of the sequence, so the capture that comes out replays alone.
"""

import argparse
import sys
from pathlib import Path

from engine.contract.errors import ToldError, UsageError
from gateways.payments.door.routes import PaymentAsk, PaymentRoute
from pinion.cli.arguments import whole_argument
from pinion.cli.command import DONE, FAILED
from pinion.cli.payments.move_over.services import bearer_key, engine_of
from pinion.parity.answers import CODE
from pinion.parity.asking.service import ADMIN
from pinion.parity.asking.started import Starter
from pinion.parity.capture_folder import CaptureFolder
from pinion.parity.ignored import pair_of_codes
from pinion.parity.minimise.related import parts
from pinion.parity.minimise.shrink import shrunk
from pinion.parity.minimise.trial import Target, Trials
from pinion.parity.minimise.written import refuse_existing, write_pairs
from pinion.parity.pairs import Pair, pairs_of

RECORDS_MAX = 10**9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("capture", type=Path, metavar="DIR", help="a folder of `pinion payments capture`")
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE", help="key of its surrogates (default: DIR/surrogate.key)"
    )
    parser.add_argument(
        "--diff", type=whole_argument(1, RECORDS_MAX, 17), required=True, metavar="N",
        help="the number of the record that is answered otherwise, as a replay tells it",
    )  # fmt: skip
    parser.add_argument(
        "--service", required=True, metavar="CMD",
        help="starts the old service, empty; {port} in it is the port that it is to listen on",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR2", help="a new folder for the capture"
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="the bearer key that the service wants")
    parser.add_argument("--config", type=Path, metavar="FILE", help="rules and capacities, as for a replay")
    parser.add_argument("--setup", type=Path, metavar="FILE", help="what was there before, as for a replay")
    parser.add_argument("--no-stamp", action="store_true", help="send requests as they were, as for a replay")


def run(args: argparse.Namespace) -> int:
    """Minimise; 1 where the old service does not show the difference any more."""
    refuse_existing(args.out)
    capture = CaptureFolder(args.capture, args.key_file)
    pairs = [*set_up_pairs(capture.set_up(args.setup)), *until(capture, args.diff)]
    stamps = not args.no_stamp
    with Starter(args.service, bearer_key(args.key)) as starter:
        trials = Trials(
            Target("", ""),
            lambda: engine_of(args.config, capture.key, stamps=stamps),
            starter.fresh,
            stamps=stamps,
        )
        trials.target = target_of(trials, pairs, args.diff)
        found = minimised(trials, pairs)
        if found is None:
            told = f"{trials.target.field} of {trials.target.codes}"
            print(f"record {args.diff}: asked afresh, the old service does not show it again: {told}")
            return FAILED
        write_pairs(args.out, trials.answered(found), capture)
    print(f"{len(found)} of {len(pairs):,} requests, after {trials.asked} trials: {args.out}")
    return DONE


def minimised(trials: Trials, pairs: list[Pair]) -> list[Pair] | None:
    """Return the fewest requests that show it; None where not even all of them do."""

    def shows(some: list[Pair]) -> bool:
        is_shown = trials.shows(some)
        print(f"minimise: {len(some):,} requests {'show' if is_shown else 'do not show'} it", file=sys.stderr)
        return is_shown

    for part in parts(pairs):
        if shows(part):
            return shrunk(part, shows)
    return None


def set_up_pairs(lines: bytes) -> list[Pair]:
    """Return lines of set-up as requests, one a line."""
    route = PaymentRoute(PaymentAsk.SET_UP)
    return [Pair(0, 0, "POST", ADMIN, route, line, None, None) for line in lines.split(b"\n") if line.strip()]


def until(capture: CaptureFolder, number: int) -> list[Pair]:
    """Return the pairs that are played, up to the one with this number."""
    found = []
    for each in pairs_of(capture.path):
        if isinstance(each, Pair):
            found.append(each)
        if each.n == number:
            break
    if not found or found[-1].n != number:
        raise UsageError(f"--diff {number}: is no record that a replay plays; take a number that it tells")
    return found


def target_of(trials: Trials, pairs: list[Pair], number: int) -> Target:
    """Return the difference of the last pair: its code's where that differs, else its first field's."""
    compared = trials.decided(pairs)
    if compared is None:
        raise ToldError(
            f"--diff {number}: is answered alike; take a number that `pinion payments replay` tells, "
            "and give the --setup and --config that it had"
        )
    fields = [each.field for each in compared.fields]
    return Target(CODE if CODE in fields else fields[0], pair_of_codes(compared.old, compared.new))
