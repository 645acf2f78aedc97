"""How fast a replay in process is, stage by stage: the best of some repetitions, by the processor's time.

    python -m tests.payments.replay_speed --count 50000

`read` decodes and verifies the lines of a capture, `encode` makes records of bodies, `decide` links, decides
and compares those. Two processes read all; one encodes two thirds, the other one the rest, and decides all.
`replay` is the whole of it by the clock on the wall, which other work on the machine slows.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TypeVar

from pinion.cli.payments.move_over.services import engine_of
from pinion.parity.capture_folder import CaptureFolder
from pinion.parity.deciding.in_process import InProcess
from pinion.parity.deciding.second import batches
from pinion.parity.pairs import Pair, pairs_of
from tests.payments.captures import Written, written

Found = TypeVar("Found")


class Speed:
    """A capture and what a replay of it takes."""

    def __init__(self, made: Written, repeats: int) -> None:
        self._made = made
        self._repeats = repeats
        self._capture = CaptureFolder(made.capture)
        self._lines = self._capture.set_up(made.set_up)

    def engine(self) -> InProcess:
        """Return a new engine that knows the set-up."""
        engine = engine_of(self._made.config, self._capture.key, stamps=True)
        engine.set_up(self._lines)
        return engine

    def read(self) -> list[Pair]:
        """Return all pairs that are played."""
        return [pair for pair in pairs_of(self._capture.path) if isinstance(pair, Pair)]

    def timed(self, stage: str, run: Callable[[], Found], clock: Callable[[], float] = process_time) -> Found:
        """Run a stage some times, print the best, and return what it made."""
        best = float("inf")
        for _ in range(self._repeats):
            began = clock()
            found = run()
            best = min(best, clock() - began)
        count = len(self.read())
        print(f"{stage:<10}{1e6 * best / count:>8.1f} us a pair{count / best:>12,.0f}/s", flush=True)
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a pair differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.payments.replay_speed", description=__doc__)
    parser.add_argument("--count", type=int, default=50_000, help="pairs of the capture")
    parser.add_argument("--repeats", type=int, default=5, help="of each stage")
    args = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        speed = Speed(written(Path(folder), 0, args.count), args.repeats)
        pairs = speed.timed("read", speed.read)
        encoder = speed.engine().encoder
        encoded = speed.timed("encode", lambda: [encoder.encode(each) for each in batches(iter(pairs))])

        def decide() -> int:
            engine = speed.engine()
            return sum(len(step.different) for each in encoded for step in engine.decide(each))

        def replay() -> int:
            again = speed.read
            steps = speed.engine().replay_by_two(speed.read(), lambda: iter(again()))
            return sum(len(step.different) for step in steps)

        different = speed.timed("decide", decide) + speed.timed("replay", replay, perf_counter)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
