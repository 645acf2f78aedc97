"""`pinion digest`: compare the whole states of worker and shadow in a running instance, now.

Both must be at rest at one seq for a moment: between two commands, as a busy instance has it too.
Prints {"seq":...,"digest":"..."}, the digest that `pinion replay DIR` tells of the same seq.
Exit codes: 0 equal, 1 they differ, no moment of rest was found, or nothing runs there.
"""

import argparse
import time
from pathlib import Path

import msgspec

from engine.contract import instance
from engine.contract.asking import Answer, answer_of, ask, asked, withdraw
from engine.contract.instance import SHADOW, PortError, counter_name
from engine.contract.port import EventReader
from pinion.cli.arguments import DEFAULT_DATA, decimal_argument
from pinion.cli.command import DONE

LOOK_AGAIN_S = 0.02
WAIT_S_MAX = 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data", type=Path, default=DEFAULT_DATA, metavar="DIR", help="data folder (default %(default)s)"
    )
    parser.add_argument(
        "--wait",
        type=decimal_argument(0, WAIT_S_MAX, "seconds", "10"),
        default=10.0,
        metavar="S",
        help="for a moment of rest (default %(default)s s)",
    )


def run(args: argparse.Namespace) -> int:
    """Ask for a comparison, wait for its answer and print that; return the exit code."""
    print(msgspec.json.encode(asked_of(args.data.resolve(), args.wait)).decode())
    return DONE


def asked_of(data_dir: Path, wait_s: float) -> Answer:
    """Return the answer; PortError where there is none."""
    running = instance.read(data_dir)
    if running.durability != "sync":
        raise PortError(f"{data_dir}: runs with durability none and has no shadow; start it with sync")
    if SHADOW not in [each.name for each in running.processes]:
        raise PortError(
            f"{data_dir}: has no shadow; if engine.shadow is off, take that out, then start again"
        )
    differences, checks = counter_name(SHADOW, "differences"), counter_name(SHADOW, "checks")
    deadline = time.monotonic() + wait_s
    with EventReader.attach(data_dir) as reader:
        counters = reader.counters()
        ask(data_dir)
        try:
            while asked(data_dir):
                if counters[differences]:
                    raise PortError(f"{data_dir}: worker and shadow differ: see the log of `pinion up`")
                if time.monotonic() > deadline:
                    raise PortError(
                        f"{data_dir}: worker and shadow were not at rest at one seq within {wait_s:g} s; the "
                        f"hashes of their events agreed {counters[checks]} times since "
                        f"the start; raise --wait"
                    )
                time.sleep(LOOK_AGAIN_S)
        finally:
            withdraw(data_dir)
        return answer_of(data_dir)
