"""`pinion replay`: a command file through the trading kernel, offline and deterministic (R1).

JSON lines (R2), Databento DBN market by order and Nasdaq ITCH 5.0 (R4). What the file
holds is told by its first bytes. Exit codes: 0 done, 1 the input cannot be read, 2 wrong usage.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine import numbers
from engine.cli.journal_data import data_folder
from engine.cli.kernels import announced_compilation
from engine.cli.replay_engine import ReplayEngine
from engine.cli.replay_journal import JournalReplay
from engine.cli.replay_lines import LineReplay
from engine.cli.replay_market import MarketReplay
from engine.cli.replay_output import EventWriter, books, output, statistics
from engine.cli.replay_progress import progress_of
from engine.runtime.journal import JournalError
from gateways.files.source import STANDARD_INPUT, Format, InputError, Source
from gateways.files.ticks import TickError, refuse_any

DONE, FAILED, WRONG_USAGE = 0, 1, 2


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
    try:
        return _replay(arguments)
    except (InputError, JournalError) as fault:
        print(f"pinion replay: {fault}", file=sys.stderr)
        return FAILED
    except TickError as fault:
        print(f"pinion replay: {arguments.input}: {fault}", file=sys.stderr)
        return WRONG_USAGE
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED


def _replay(arguments: argparse.Namespace) -> int:
    with ExitStack() as opened:
        file = None
        if arguments.events is not None:
            file = opened.enter_context(output(arguments.events))
        folder = Path(arguments.input)
        if folder.is_dir():
            return _replay_journal(arguments, data_folder(folder), file)
        source = opened.enter_context(Source(arguments.input))
        is_market = source.format is not Format.JSON_LINES
        if not is_market:
            refuse_any(dict(arguments.tick))
        with announced_compilation():
            engine = ReplayEngine(
                keeps_events=is_market or file is not None,
                is_timed=arguments.stats,
                is_digested=arguments.stats,
            )
        writer = EventWriter(file, engine.catalogue())
        began = time.perf_counter()
        with progress_of(source):
            if is_market:
                market = MarketReplay(engine, writer, source, dict(arguments.tick))
                market.play()
                report, refused = market.report(), 0
            else:
                lines = LineReplay(engine, writer, has_auto_instruments=arguments.auto_instruments)
                lines.play(source)
                report, refused = iter(()), lines.refused
        _finish(arguments, engine, writer, began, refused, report)
    return DONE


def _replay_journal(arguments: argparse.Namespace, data_dir: Path, file: BinaryIO | None) -> int:
    refuse_any(dict(arguments.tick))
    with announced_compilation():
        journal = JournalReplay(data_dir, is_digested=arguments.stats)
    engine = journal.engine
    writer = EventWriter(file, engine.catalogue())
    began = time.perf_counter()
    with progress_of(journal):
        journal.play(writer)
    _finish(arguments, engine, writer, began, 0, iter(()))
    return DONE


def _finish(
    arguments: argparse.Namespace,
    engine: ReplayEngine,
    writer: EventWriter,
    began: float,
    refused: int,
    report: Iterator[str],
) -> None:
    """Write what was asked for beside the events."""
    writer.flush()
    if arguments.book is not None:
        _write_books(engine, arguments.book)
    if arguments.stats:
        _print_statistics(arguments, statistics(engine, time.perf_counter() - began, refused), report)


def _write_books(engine: ReplayEngine, name: str) -> None:
    with output(name) as file:
        file.write(msgspec.json.encode(books(engine)) + b"\n")


def _print_statistics(arguments: argparse.Namespace, *parts: Iterator[str]) -> None:
    """Print to standard output, or to standard error where that carries data."""
    is_taken = STANDARD_INPUT in (arguments.events, arguments.book)
    for part in parts:
        for line in part:
            print(line, file=sys.stderr if is_taken else sys.stdout)
