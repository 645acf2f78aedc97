"""`pinion feed`: play a file, or the seeded flow, into a running instance (interface R1).

    ring:DIR            a spare command ring of the instance that owns DIR: the fast way
    ws://HOST:PORT      a pipelined WebSocket session of the order door
    http://HOST:PORT    one request after the other

INPUT `flow` is the seeded order flow of the benchmarks. Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.contract.errors import ToldError, UsageError, reason_of
from engine.contract.stop_signals import stop_signals
from engine.settings.demo_key import DEMO_KEY_FILE
from gateways.feed.inputs import commands_of, line_error
from gateways.feed.interrupts import Interrupts
from gateways.feed.meter import Meter
from gateways.feed.network_door import feed_http, feed_websocket, refuse_no_address
from gateways.feed.ring_door import RingDoor
from gateways.files.source import NoInputError, Source
from gateways.files.ticks import ticks_of
from gateways.json_lines import MalformedCommand
from perf.flow.mixes import EVERY_MIX
from pinion.cli.arguments import decimal_argument
from pinion.cli.command import DONE, FAILED
from pinion.cli.instance.feed_flow import FLOW_INPUT, first_chunk, flow_batches, flow_mix, set_up
from pinion.cli.replay.command import tick_argument

LINE_SECONDS = 1.0
RING, HTTP, WEBSOCKET = "ring:", "http://", "ws://"
ACCOUNT_STEP = 2
RATE = decimal_argument(0, 1e9, "commands a second", "10000")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `pinion feed`."""
    parser.add_argument(
        "input",
        metavar="INPUT",
        help="JSON lines, DBN or ITCH file, plain or packed (zstd, gzip), - for standard input, or "
        f"`{FLOW_INPUT}`, or one of its mixes: " + ", ".join(f"`{FLOW_INPUT}:{name}`" for name in EVERY_MIX),
    )
    parser.add_argument(
        "--to", required=True, metavar="DOOR", help="ring:DIR, http://HOST:PORT or ws://HOST:PORT"
    )
    parser.add_argument("--rate", type=RATE, metavar="N", help="commands a second; default: no limit")
    parser.add_argument("--key", help="bearer key of an http or ws door")
    parser.add_argument("--data", type=Path, metavar="DIR", help="take the key from DIR/demo.key")
    parser.add_argument("--forever", action="store_true", help="play the flow until stopped (input `flow`)")
    parser.add_argument(
        "--tick", metavar="SYMBOL=SIZE", action="append", default=[], type=tick_argument,
        help="tick size of a symbol in a DBN or ITCH file, such as ESH4=0.25; may be repeated",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Feed as the arguments say; return the exit code."""
    meter = Meter(arguments.rate)
    interrupts = Interrupts()
    interrupts.install()
    try:
        arguments.ticks = ticks_of(arguments.tick)
        if arguments.to.startswith(RING):
            _feed_ring(arguments, meter, interrupts)
        elif arguments.to.startswith((HTTP, WEBSOCKET)):
            asyncio.run(_feed_network(arguments, meter))
        else:
            raise UsageError(f"--to {arguments.to!r}: give ring:DIR, http://HOST:PORT or ws://HOST:PORT")
    except ToldError as fault:
        if meter.sent or not isinstance(fault, UsageError | NoInputError):
            _report(meter)
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        _report(meter)
        return DONE if arguments.forever else FAILED
    _report(meter)
    return DONE


class Lines:
    """Shows one live line: rewritten in place on a terminal, one a second elsewhere."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._next = time.monotonic() + LINE_SECONDS
        self._is_terminal = sys.stderr.isatty()

    def show(self, ring_fill: str, progress: str) -> None:
        """Show a line if it is time for one."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINE_SECONDS
        line = f"{self._meter.live_line(ring_fill)}{progress}"
        print(f"\r\x1b[K{line}" if self._is_terminal else line, end="" if self._is_terminal else "\n",
              file=sys.stderr, flush=True)  # fmt: skip

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr)


def _feed_ring(arguments: argparse.Namespace, meter: Meter, interrupts: Interrupts) -> None:
    mix = flow_mix(arguments.input)
    flow = None if mix is None else first_chunk(mix)
    with RingDoor(Path(arguments.to.removeprefix(RING)), meter, interrupts) as door:
        if flow is not None:
            set_up(door, flow)
            _tell_resting(door)
        lines = Lines(meter)
        try:
            if flow is not None:
                for batch in flow_batches(door, flow, is_endless=arguments.forever):
                    door.send(batch)
                    lines.show(door.ring_fill(), "")
                door.settle()
            else:
                with _input(arguments) as source:
                    for _ in door.feed(_commands(source, arguments)):
                        lines.show(door.ring_fill(), _progress(source))
                _tell_resting(door)
        except KeyboardInterrupt:
            door.settle()
            raise
        finally:
            lines.end()


def _tell_resting(door: RingDoor) -> None:
    """Say that the books were not empty: what rests there already trades with what is fed."""
    if door.resting_before:
        print(
            f"pinion feed: {door.resting_before:,} orders rested in these books before: they trade with what "
            "is fed, so fills differ, and what they ended is cancelled in vain (unknown_order)",
            file=sys.stderr,
        )


async def _feed_network(arguments: argparse.Namespace, meter: Meter) -> None:
    if flow_mix(arguments.input) is not None:
        raise UsageError(f"input `{FLOW_INPUT}` goes through a ring: give --to ring:DIR")
    refuse_no_address(arguments.to)
    key = _key(arguments)
    lines = Lines(meter)
    feeding = asyncio.current_task()
    assert feeding is not None
    for number in stop_signals():
        asyncio.get_running_loop().add_signal_handler(number, feeding.cancel)
    feed = feed_websocket if arguments.to.startswith(WEBSOCKET) else feed_http
    try:
        with _input(arguments) as source:
            async for _ in feed(arguments.to, key, _commands(source, arguments), meter):
                lines.show(f"in flight {meter.in_flight:,}", _progress(source))
    finally:
        lines.end()


@contextmanager
def _input(arguments: argparse.Namespace) -> Iterator[Source]:
    """Open the input; a door's complaint about a command is told with its line."""
    with Source(arguments.input) as source:
        try:
            yield source
        except MalformedCommand as fault:
            raise line_error(source, fault) from None


def _commands(source: Source, arguments: argparse.Namespace) -> Iterable[dict[str, Any]]:
    # Accounts of its own for each feed: client ids of an earlier one are used up in the instance. In
    # microseconds, since two feeds may begin within one second.
    first_account = time.time_ns() // 1000 * ACCOUNT_STEP
    commands: Iterator[dict[str, Any]] = commands_of(source, arguments.ticks, first_account)
    return commands


def _key(arguments: argparse.Namespace) -> str:
    if arguments.key is not None:
        return str(arguments.key)
    if arguments.data is None:
        raise UsageError("a network door asks for a key: give --key KEY, or --data DIR for the demo key")
    path = arguments.data / DEMO_KEY_FILE
    try:
        return str(path.read_text().strip())
    except OSError as fault:
        raise UsageError(f"--data {arguments.data}: {path} cannot be read ({reason_of(fault)})") from None


def _progress(source: Source) -> str:
    return f"  {100 * source.position / source.size:5.1f} % read" if source.size else ""


def _report(meter: Meter) -> None:
    for line in meter.report():
        print(line)
