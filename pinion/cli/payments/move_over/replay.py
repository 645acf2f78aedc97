"""`pinion payments replay`: play what was captured of another service, tell where Pinion answers otherwise.

The pairs are played in captured order and at captured times: a request that brings no `received_at` gets the
moment at which it had arrived. In this process the engine's kernels decide at once; against a service each
request is sent in its turn. The exit code is 0 only where nothing differs but what the ignore file names.
"""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from engine.contract.errors import UsageError
from gateways.payments.setup_lines import SetupFault
from pinion.cli.command import DONE, FAILED
from pinion.cli.payments.move_over.services import bearer_key, engine_of, section_of
from pinion.cli.payments.move_over.told import SHOWN, ReplayProgress, tell
from pinion.parity.adapter import Adapter
from pinion.parity.asking.against import Against
from pinion.parity.asking.noise import named, run_of_service, runs_of_command
from pinion.parity.asking.service import Service
from pinion.parity.asking.started import PORT, Starter
from pinion.parity.boundaries import Boundaries, lines_of
from pinion.parity.capture_folder import CaptureFolder
from pinion.parity.deciding.in_process import InProcess
from pinion.parity.ignored import IgnoreList, load_ignored
from pinion.parity.pairs import LeftOut, Pair, pairs_of
from pinion.parity.report.folder import Report
from pinion.parity.tally import Diff, Noise, Tally


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("capture", type=Path, metavar="DIR", help="a folder of `pinion payments capture`")
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE", help="key of its surrogates (default: DIR/surrogate.key)"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--in-process", action="store_true", help="decide with the kernels, without sockets")
    where.add_argument("--against", metavar="URL", help="ask a service, one request at a time, in order")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its bearer key")
    parser.add_argument(
        "--config", type=Path, metavar="FILE",
        help="rules and capacities of the engine in this process (default: the built-in ones)",
    )  # fmt: skip
    parser.add_argument(
        "--setup", type=Path, metavar="FILE",
        help="merchants, accounts, lists and deposits that were there before, as JSON lines; cards on lists "
        "are replaced as those of the capture",
    )  # fmt: skip
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help="a new folder for index.html, diffs.jsonl, summary.json"
    )
    parser.add_argument(
        "--ignore", type=Path, metavar="FILE",
        help="TOML: differences that are put up with, each with field, owner and reason",
    )  # fmt: skip
    parser.add_argument(
        "--adapter", type=Path, metavar="FILE",
        help="Python file with request(body) and reply(body), each a dict into a dict, for bodies of another "
        "shape; what reply leaves out is not compared",
    )  # fmt: skip
    parser.add_argument(
        "--noise", metavar="URL|CMD",
        help="ask the old service itself first: started twice by CMD, in which {port} is its port, or once "
        "more at URL, where it is as it was when the capture began; what differs must be named by --ignore",
    )  # fmt: skip
    parser.add_argument(
        "--mutate", action="store_true",
        help="play boundary cases behind the capture: limits, window edges, month's end, longest and empty "
        "fields; the old service judges all, see --service and --old",
    )  # fmt: skip
    judge = parser.add_mutually_exclusive_group()
    judge.add_argument("--service", metavar="CMD", help="starts the old service; {port} is its port")
    judge.add_argument("--old", metavar="URL", help="the old service, as it was when the capture began")
    parser.add_argument(
        "--no-stamp", action="store_true", help="send requests as they were, without the moment of arrival"
    )


def run(args: argparse.Namespace) -> int:
    """Replay; 1 where anything differs."""
    if args.against and args.config:
        raise UsageError("--config: is for --in-process; a service has its own")
    if args.mutate and not (args.service or args.old):
        raise UsageError("--mutate: needs the old service as judge; give --service CMD or --old URL")
    if args.mutate and args.adapter:
        raise UsageError("--mutate: its cases are in Pinion's shape, which an old service of another shape "
                         "does not take; leave out --adapter")  # fmt: skip
    if args.key and not (args.mutate or args.against or args.noise):
        raise UsageError("--key: is for --against and --noise; in this process nobody asks for one")
    capture = CaptureFolder(args.capture, args.key_file)
    tally = Tally(load_ignored(args.ignore) if args.ignore else IgnoreList())
    shown: list[Diff] = []
    with ExitStack() as stack:
        report = stack.enter_context(Report(args.report)) if args.report else None
        player = player_of(args, capture, stack)
        set_up(player, args.setup, capture)
        source = source_of(args, capture)
        if args.noise:
            tally.noise = noise_of(args, capture, tally.ignore_list)
        for diff in played(player, source, tally):
            if report is not None:
                report.add(diff)
            if not diff.is_ignored and len(shown) < SHOWN:
                shown.append(diff)
        if report is not None:
            report.finish(tally, about(args, capture))
    tell(tally, shown)
    return FAILED if tally.different or tally.unnamed_noise else DONE


def player_of(args: argparse.Namespace, capture: CaptureFolder, stack: ExitStack) -> InProcess | Against:
    """Return what the pairs are played to."""
    if args.in_process:
        return engine_of(args.config, capture.key, stamps=not args.no_stamp)
    service = stack.enter_context(Service(args.against, bearer_key(args.key)))
    return Against(service, stamps=not args.no_stamp)


def set_up(player: InProcess | Against, file: Path | None, capture: CaptureFolder) -> None:
    """Carry out a file of set-up."""
    try:
        player.set_up(capture.set_up(file))
    except SetupFault as fault:
        raise UsageError(f"--setup {file}: {fault}") from fault


def source_of(args: argparse.Namespace, capture: CaptureFolder) -> Callable[[], Iterable[Pair | LeftOut]]:
    """Return what yields the pairs that are played, the same each time it is called."""
    if args.mutate:
        pairs = judged(args, capture)
        return lambda: pairs
    if args.adapter:
        adapted = Adapter(args.adapter)
        return lambda: map(adapted, pairs_of(capture.path))
    return lambda: pairs_of(capture.path)


def played(
    player: InProcess | Against, source: Callable[[], Iterable[Pair | LeftOut]], tally: Tally
) -> Iterator[Diff]:
    """Play pairs, count what they come to, say how far it is; yield those that differ."""
    progress = ReplayProgress("replay")

    def counted() -> Iterator[Pair]:
        for pair in source():
            if isinstance(pair, Pair):
                yield pair
            else:
                tally.leave_out(pair)

    def again() -> Iterator[Pair]:
        return (pair for pair in source() if isinstance(pair, Pair))

    if isinstance(player, InProcess) and len(os.sched_getaffinity(0)) > 1:
        steps = player.replay_by_two(counted(), again)
    else:
        steps = player.replay(counted())
    for step in steps:
        yield from tally.add(step)
        progress(tally.seen, tally.different)
    progress.tell(tally.seen, tally.different)


def noise_of(args: argparse.Namespace, capture: CaptureFolder, ignored: IgnoreList) -> list[Noise]:
    """Return what the old service answers otherwise when it is asked again."""
    pairs = [pair for pair in pairs_of(capture.path) if isinstance(pair, Pair)]
    lines, key, stamps = capture.set_up(args.setup), bearer_key(args.key), not args.no_stamp
    progress = ReplayProgress("noise")
    if PORT in args.noise:
        with Starter(args.noise, key, ahead=1) as starter:
            return named(runs_of_command(starter.fresh, pairs, lines, progress, stamps=stamps), ignored)
    with Service(args.noise, key) as service:
        return named(run_of_service(service, pairs, lines, progress, stamps=stamps), ignored)


def judged(args: argparse.Namespace, capture: CaptureFolder) -> list[Pair | LeftOut]:
    """Return the pairs and the boundary cases behind them, as the old service answers all of them now."""
    found = list(pairs_of(capture.path))
    pairs = [pair for pair in found if isinstance(pair, Pair)]
    lines = capture.set_up(args.setup)
    limits = section_of(args.config).rules.limits()
    cases = list(Boundaries(pairs, lines_of(lines), limits).cases())
    key, stamps, progress = bearer_key(args.key), not args.no_stamp, ReplayProgress("old service")
    with ExitStack() as stack:
        if args.service:
            service = stack.enter_context(stack.enter_context(Starter(args.service, key, ahead=0)).fresh())
        else:
            service = stack.enter_context(Service(args.old, key))
        service.set_up(lines)
        old = Against(service, stamps=stamps)
        answered: list[Pair | LeftOut] = [each for each in found if isinstance(each, LeftOut)]
        for count, pair in enumerate([*pairs, *cases], 1):
            answered.append(old.answered(pair))
            progress(count)
    print(f"boundary cases: {len(cases):,}, numbered from {pairs[-1].n + 1 if pairs else 1}")
    return answered


def about(args: argparse.Namespace, capture: CaptureFolder) -> dict[str, str]:
    """Return what was replayed, by name, for the head of the report."""
    named = {
        "capture": capture.path.resolve().name,
        "of": capture.about.to,
        "against": args.against or "the engine in process",
        "set-up": args.setup and args.setup.name,
        "ignored": args.ignore and args.ignore.name,
    }
    return {name: value for name, value in named.items() if value}
