"""The long comparison of the plain service and the engine: many seeds, two processes.

    python -m tests.payments.differential --seeds 0:100 --count 50000

It prints every difference with the seed that repeats it, then how often each code, rule and state was
reached. The exit code is 0 only where nothing differs and everything is reached.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

from tests.payments.comparison import compared
from tests.payments.coverage import Coverage

PROCESSES = 2
SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.payments.differential", description=__doc__)
    parser.add_argument("--seeds", default="0:4", help="FIRST:END of the seeds, END not included")
    parser.add_argument("--count", type=int, default=50_000, help="items a seed")
    args = parser.parse_args(arguments)
    first, end = map(int, args.seeds.split(":"))
    began, total, different = perf_counter(), Coverage(), 0
    compared(first, 0)  # the kernels are compiled once, before two processes need them
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        seeds = range(first, end)
        for seed, (found, coverage) in zip(
            seeds, pool.map(compared, seeds, [args.count] * len(seeds)), strict=True
        ):
            total.update(coverage)
            different += len(found)
            for each in found[:SHOWN]:
                print(f"seed {seed}: {each}", flush=True)
            print(f"{sum(total.codes.values()):,} items, different: {different}", file=sys.stderr, flush=True)
    took = perf_counter() - began
    asked = sum(total.codes.values())
    print(total.table())
    print(f"{asked:,} items in {took:.0f} s, {asked / took:,.0f} a second, different: {different}")
    print(f"not reached: {', '.join(total.missing()) or 'nothing'}")
    print(f"cells not reached: {len(total.missing_cells())}")
    return 1 if different or total.missing() else 0


if __name__ == "__main__":
    sys.exit(main())
