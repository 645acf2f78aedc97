"""`pinion replay`: a command file through the trading kernel, offline and deterministic (interface R1).

JSON lines (interface R2), Databento DBN market by order, Nasdaq ITCH 5.0 (interface R4). What the file
holds is told by its first bytes. Exit codes: 0 done, 1 the input is damaged or not there, 2 wrong usage.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine.contract.errors import UsageError
from engine.runtime.journal import journal
from engine.runtime.journal.journal import JournalError
from engine.text import numbers
from engine.trading.offline.engine import ReplayEngine
from gateways.files.source import Format, InputError, Source
from gateways.files.ticks import TickError, refuse_any, ticks_of
from pinion.cli.command import DONE
from pinion.cli.journal.data import data_folder
from pinion.cli.kernels import announced_compilation
from pinion.cli.outputs import is_standard_output, output, refuse_overwriting
from pinion.cli.replay.journal import JournalReplay
from pinion.cli.replay.lines import LineReplay
from pinion.cli.replay.market import MarketReplay
from pinion.cli.replay.output import EventWriter, books, statistics
from pinion.cli.replay.progress import progress_of
from pinion.cli.replay.rules import ReplayLabels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `pinion replay`."""
    parser.add_argument(
        "input",
        metavar="INPUT",
        help="JSON lines, DBN or ITCH 5.0 file, plain or packed (zstd, gzip), or a data folder; "
        "- is standard input",
    )
    parser.add_argument("--events", metavar="FILE", help="write one JSON event a line; - is standard output")
    parser.add_argument("--book", metavar="FILE", help="write the final books as JSON; - is standard output")
    parser.add_argument(
        "--stats", action="store_true", help="print throughput, latency percentiles and digests"
    )
    parser.add_argument(
        "--auto-instruments",
        action="store_true",
        help="an instrument used without a definition gets tick 1, lot 1 and no limits",
    )
    parser.add_argument(
        "--tick",
        metavar="SYMBOL=SIZE",
        action="append",
        default=[],
        type=tick_argument,
        help="tick size of a symbol in a DBN or ITCH file, such as ESH4=0.25; may be repeated",
    )


def tick_argument(text: str) -> tuple[str, Decimal]:
    """Return the symbol and tick size of a --tick argument."""
    symbol, equals, size = text.partition("=")
    tick = Decimal(size) if numbers.is_decimal(size) else Decimal(0)
    if not (equals and symbol and tick > 0):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give SYMBOL=SIZE with a positive size, such as ESH4=0.25"
        )
    return symbol, tick


def run(arguments: argparse.Namespace) -> int:
    """Replay the input that the arguments name; return the exit code."""
    is_taken = any(is_standard_output(name) for name in (arguments.events, arguments.book))
    try:
        for line in _replay(arguments):
            print(line, file=sys.stderr if is_taken else sys.stdout)
    except TickError as fault:
        raise UsageError(f"{arguments.input}: {fault}") from None
    return DONE


def _replay(arguments: argparse.Namespace) -> Iterator[str]:
    """Replay; return the statistics that are wanted, to be printed once the files have their names."""
    folder = Path(arguments.input)
    is_journal = folder.is_dir()
    read = data_folder(folder) / journal.FOLDER if is_journal else arguments.input
    refuse_overwriting([read], {"--events": arguments.events, "--book": arguments.book})
    return _replay_journal(arguments, data_folder(folder)) if is_journal else _replay_file(arguments)


def _replay_file(arguments: argparse.Namespace) -> Iterator[str]:
    ticks = ticks_of(arguments.tick)
    with Source(arguments.input) as source:
        is_market = source.format is not Format.JSON_LINES
        if not is_market:
            refuse_any(ticks)
        with announced_compilation():
            engine = ReplayEngine(
                keeps_events=is_market or arguments.events is not None,
                is_timed=arguments.stats,
                is_digested=arguments.stats,
            )
        with _outputs(arguments, lambda: engine.seq) as (events, book):
            writer = EventWriter(events, engine.catalogue(), ReplayLabels())
            began = time.perf_counter()
            with progress_of(source):
                if is_market:
                    market = MarketReplay(engine, writer, source, ticks)
                    market.play()
                    report, refused = market.report(), 0
                else:
                    lines = LineReplay(engine, writer, has_auto_instruments=arguments.auto_instruments)
                    lines.play(source)
                    report, refused = iter(()), lines.refused
            _write_books(engine, book)
            told = statistics(engine, time.perf_counter() - began, refused)
    return chain(told, report) if arguments.stats else iter(())


def _replay_journal(arguments: argparse.Namespace, data_dir: Path) -> Iterator[str]:
    refuse_any(ticks_of(arguments.tick))
    with announced_compilation():
        replay = JournalReplay(data_dir, arguments.applications, is_digested=arguments.stats)
    engine = replay.engine
    with _outputs(arguments, lambda: replay.seq) as (events, book):
        writer = EventWriter(events, engine.catalogue(), ReplayLabels(data_dir))
        began = time.perf_counter()
        with progress_of(replay):
            replay.play(writer)
        _write_books(engine, book)
        told = statistics(engine, time.perf_counter() - began, 0)
    return told if arguments.stats else iter(())


@contextmanager
def _outputs(
    arguments: argparse.Namespace, seq: Callable[[], int]
) -> Iterator[tuple[BinaryIO | None, BinaryIO | None]]:
    """Open what the arguments name for events and books, now that the input is open.

    seq : tells how many commands were applied
    """

    def is_damaged_in_its_midst(error: Exception) -> bool:
        """Tell whether the events are right up to the place that could not be read."""
        return isinstance(error, InputError | JournalError) and seq() > 0

    with ExitStack() as opened:
        events = book = None
        if arguments.events is not None:
            events = opened.enter_context(output(arguments.events, is_damaged_in_its_midst))
        if arguments.book is not None:
            book = opened.enter_context(output(arguments.book))
        yield events, book


def _write_books(engine: ReplayEngine, file: BinaryIO | None) -> None:
    if file is not None:
        file.write(msgspec.json.encode(books(engine)) + b"\n")
