"""`pinion payments processor`: a sample of a processor, on loopback, for trying what forwarding does.

It approves whatever is forwarded to it (`[payments.forward] url`), and confirms reversals. As often as the
options say it declines, is slow, late, silent or down, answers twice, or resets the connection. It knows no
cards and keeps nothing: it is for trials and tests, and moves no money.
"""

import argparse
import asyncio
import os

import msgspec

from engine.contract.errors import UsageError, reason_of
from engine.contract.stop_signals import stop_signals
from gateways.payments.core_dumps import forbid_core_dumps
from pinion.cli.arguments import whole_argument
from pinion.cli.command import DONE
from pinion.cli.payments.sample.server import HOST, Fault, SampleProcessor

PORT, PORT_MAX = 8009, 65535
DELAY_MS, DELAY_MS_MAX = 3000, 600_000
SEED_MAX = 2**63 - 1
HELP = {
    Fault.DECLINE: "decline N of 100 payments",
    Fault.SLOW: "decide N of 100 payments at once and answer after --delay-ms",
    Fault.LATE: "decide and answer N of 100 payments after --delay-ms",
    Fault.TWICE: "answer N of 100 requests twice",
    Fault.FORGET: "decide N of 100 requests and answer nothing",
    Fault.RESET: "decide N of 100 requests and reset the connection",
    Fault.LOSE: "reset the connection of N of 100 requests before anything is decided",
    Fault.DOWN: "answer N of 100 requests 503, before anything is decided",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--port", type=whole_argument(0, PORT_MAX, PORT), default=PORT, metavar="N",
        help=f"where to listen on {HOST} (default {PORT}; 0: any)",
    )  # fmt: skip
    for fault, text in HELP.items():
        parser.add_argument(f"--{fault}", type=whole_argument(0, 100, 10), default=0, metavar="N", help=text)
    parser.add_argument(
        "--delay-ms", type=whole_argument(1, DELAY_MS_MAX, DELAY_MS), default=DELAY_MS, metavar="N",
        help=f"how long what is slow or late takes (default {DELAY_MS})",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=whole_argument(0, SEED_MAX, 7), default=0, metavar="N",
        help="which requests meet with a fault (default 0)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Serve until a signal; say then what became of the payments."""
    shares = {fault: getattr(args, fault) for fault in Fault}
    if sum(shares.values()) > 100:
        raise UsageError(f"the faults make {sum(shares.values())} of 100 requests; give 100 in all at most")
    forbid_core_dumps()
    asyncio.run(_serve(args, shares))
    return DONE


async def _serve(args: argparse.Namespace, shares: dict[Fault, int]) -> None:
    processor = SampleProcessor(shares, args.delay_ms / 1000, args.seed)
    stopping = asyncio.Event()
    for number in stop_signals():
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        await processor.start(args.port)
    except OSError as error:
        raise UsageError(
            f"--port {args.port}: cannot be listened on ({reason_of(error)}); give another one, or 0"
        ) from error
    told = {"processor": f"http://{HOST}:{processor.port}", "pid": os.getpid()}
    print("ready", msgspec.json.encode(told).decode(), flush=True)
    await stopping.wait()
    await processor.stop()
    print("processed", msgspec.json.encode(processor.book.counts()).decode(), flush=True)
