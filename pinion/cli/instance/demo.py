"""`make run`: the demo instance and a feeder that plays order flow into it, until Ctrl-C.

Both are the real commands, `pinion up` and `pinion feed`, as processes of their own. The
feeder prints a live line: commands and fills a second, round trip p50/p99, ring fill.
After a file has been played the instance stays up, so its books can be queried.
"""

import argparse
import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine.contract import instance
from engine.contract.errors import UsageError
from engine.runtime.supervision.supervisor import STOP_WAIT_S_MAX
from gateways.feed.inputs import commands_of
from gateways.files.source import STANDARD_INPUT, Source
from gateways.files.ticks import TickError, ticks_of
from pinion.cli.command import DONE, begin, exit_code
from pinion.cli.instance.feed import RATE
from pinion.cli.instance.feed_flow import FLOW_INPUT, flow_mix
from pinion.cli.replay.command import tick_argument

DEFAULT_DATA = Path("var/demo")
DEFAULT_RATE = 20_000.0
FEEDER_STOP_S = 20.0
UP_STOP_S = STOP_WAIT_S_MAX + 10.0
"""`pinion up` itself kills what does not stop in its time, all in all within STOP_WAIT_S_MAX."""
TELL_AFTER_S = 3.0
READY = "ready "


def main() -> int:
    """Read the arguments, run; return the exit code."""
    begin()
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--feed", default=FLOW_INPUT, metavar="FILE", help="what to play (default: seeded flow)"
    )
    parser.add_argument("--tick", action="append", default=[], metavar="SYMBOL=SIZE", help="for DBN files")
    parser.add_argument(
        "--rate", type=RATE, help=f"commands a second (default {DEFAULT_RATE:,.0f} for the flow)"
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, metavar="DIR")
    parser.add_argument("--api-port", default="8000")
    parser.add_argument("--order-port", default="8001")
    arguments = parser.parse_args()
    return exit_code("make run", lambda: run(arguments))


def run(arguments: argparse.Namespace) -> int:
    """Start the instance, then the feeder; stop both on SIGINT, SIGTERM or SIGHUP."""
    refuse_unreadable(arguments)
    up = _start("up", "--data", str(arguments.data), "--api-port", arguments.api_port,
                "--order-port", arguments.order_port, stdout=subprocess.PIPE)  # fmt: skip
    feeder: subprocess.Popen[str] | None = None
    try:
        ready = _wait_until_ready(up)
        if ready is None:
            return up.wait()
        _invite(ready)
        feeder = _start("feed", arguments.feed, "--to", f"ring:{ready['data']}", *_feed_options(arguments))
        code = feeder.wait()
        if code != 0:
            return code
        print("the file is played; the books stay live, Ctrl-C stops", flush=True)
        return up.wait()
    except KeyboardInterrupt:
        return DONE
    finally:
        if feeder is not None:
            stop(feeder, "the feeder", FEEDER_STOP_S)
        stop(up, "the instance to write what it has and end", UP_STOP_S)


def refuse_unreadable(arguments: argparse.Namespace) -> None:
    """Read the beginning of the file before anything starts; raise ToldError where it cannot be played."""
    is_pipe = arguments.feed == STANDARD_INPUT or Path(arguments.feed).is_fifo()
    if is_pipe or flow_mix(arguments.feed) is not None:
        return  # what is read of a pipe now would be missing later
    try:
        ticks = ticks_of(tick_argument(text) for text in arguments.tick)
        with Source(arguments.feed) as source:
            next(iter(commands_of(source, ticks, 1)), None)
    except (TickError, argparse.ArgumentTypeError) as fault:
        raise UsageError(f"{arguments.feed}: {fault}") from None


def _start(command: str, *options: str, stdout: int | None = None) -> "subprocess.Popen[str]":
    # A session of its own: Ctrl-C reaches this process alone, which stops the others in order.
    return subprocess.Popen(
        [sys.executable, "-m", "pinion.cli.main", command, *options],
        stdout=stdout,
        text=True,
        start_new_session=True,
    )


def _wait_until_ready(up: "subprocess.Popen[str]") -> dict[str, Any] | None:
    """Pass on what `pinion up` prints; return its ready line, or None when it ended."""
    assert up.stdout is not None
    for line in up.stdout:
        print(line, end="", flush=True)
        if line.startswith(READY):
            ready: dict[str, Any] = json.loads(line.removeprefix(READY))
            return ready
    return None


def _feed_options(arguments: argparse.Namespace) -> list[str]:
    options = [option for tick in arguments.tick for option in ("--tick", tick)]
    is_flow = flow_mix(arguments.feed) is not None
    if is_flow:
        options.append("--forever")
    rate = arguments.rate or (DEFAULT_RATE if is_flow else None)
    return [*options, "--rate", f"{rate:.9f}"] if rate else options


def _invite(ready: dict[str, Any]) -> None:
    print(f"dashboard  {ready['api']}/   (key: {ready['data']}/demo.key)")
    print(
        f'query      curl -H "Authorization: Bearer $(cat {ready["data"]}/demo.key)" {ready["api"]}/v1/status'
    )
    print(f"durability {instance.read(Path(ready['data'])).durability}", flush=True)


def stop(process: "subprocess.Popen[str]", what: str, wait_s: float) -> None:
    """End a process in order; by force when it does not listen for so long."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(TELL_AFTER_S)
    except subprocess.TimeoutExpired:
        print(f"make run: waiting for {what} (pid {process.pid}), {wait_s:.0f} s at most", file=sys.stderr)
        _force(process, wait_s - TELL_AFTER_S)


def _force(process: "subprocess.Popen[str]", wait_s: float) -> None:
    """Kill a process that has not ended by itself within this time."""
    try:
        process.wait(wait_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
