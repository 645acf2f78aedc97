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

from engine import instance
from engine.cli.feed_flow import FLOW_INPUT, flow_mix
from engine.cli.replay import FAILED, WRONG_USAGE, tick_argument
from gateways.feed.inputs import commands_of
from gateways.files.source import STANDARD_INPUT, InputError, Source
from gateways.files.ticks import TickError

DEFAULT_DATA = Path("var/demo")
DEFAULT_RATE = 20_000.0
STOP_SECONDS = 20
READY = "ready "


def main() -> int:
    """Start the instance, then the feeder; stop both on SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--feed", default=FLOW_INPUT, metavar="FILE", help="what to play (default: seeded flow)"
    )
    parser.add_argument("--tick", action="append", default=[], metavar="SYMBOL=SIZE", help="for DBN files")
    parser.add_argument(
        "--rate", type=float, help=f"commands a second (default {DEFAULT_RATE:,.0f} for the flow)"
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, metavar="DIR")
    parser.add_argument("--api-port", default="8000")
    parser.add_argument("--order-port", default="8001")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = _refused(arguments)
    if code:
        return code
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
        return 0
    finally:
        for process in (feeder, up):
            if process is not None:
                _stop(process)


def _refused(arguments: argparse.Namespace) -> int:
    """Read the beginning of the file before anything starts; return 0, or the exit code of its refusal."""
    if arguments.feed == STANDARD_INPUT or flow_mix(arguments.feed) is not None:
        return 0
    try:
        ticks = dict(tick_argument(text) for text in arguments.tick)
        with Source(arguments.feed) as source:
            next(iter(commands_of(source, ticks, 1)), None)
    except InputError as fault:
        print(f"make run: {fault}", file=sys.stderr)
        return FAILED
    except (TickError, argparse.ArgumentTypeError) as fault:
        print(f"make run: {arguments.feed}: {fault}", file=sys.stderr)
        return WRONG_USAGE
    return 0


def _start(command: str, *options: str, stdout: int | None = None) -> "subprocess.Popen[str]":
    # A session of its own: Ctrl-C reaches this process alone, which stops the others in order.
    return subprocess.Popen(
        [sys.executable, "-m", "engine.cli.main", command, *options],
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
    return [*options, "--rate", str(rate)] if rate else options


def _invite(ready: dict[str, Any]) -> None:
    print(f"dashboard  {ready['api']}/   (key: {ready['data']}/demo.key)")
    print(
        f'query      curl -H "Authorization: Bearer $(cat {ready["data"]}/demo.key)" {ready["api"]}/v1/status'
    )
    print(f"durability {instance.read(Path(ready['data'])).durability}", flush=True)


def _stop(process: "subprocess.Popen[str]") -> None:
    """End a process in order; by force when it does not listen."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
