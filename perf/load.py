"""Runs a load generator, a process of its own, and takes only what it checked."""

import subprocess
import sys
from typing import Any

import msgspec

ACCEPTED_MIN = 0.95
"""Share of the orders that must be accepted: the case is about orders, not refusals."""


def load(generator: str, port: int, key: str, seconds: float, session: int, *more: str) -> dict[str, Any]:
    """Run the generator's module once; raise unless it checked every answer and most were accepted."""
    command = [sys.executable, "-m", generator, str(port), "--key", key]
    told = subprocess.run(
        [*command, "--seconds", str(seconds), "--session", str(session + 1), *more],
        capture_output=True,
        text=True,
        timeout=60 + 4 * seconds,
        check=False,
    )
    if told.returncode:
        raise RuntimeError(f"load generator failed: {told.stderr.strip()[-2000:]}")
    result: dict[str, Any] = msgspec.json.decode(told.stdout)
    if result["accepted"] < ACCEPTED_MIN * result["commands"]:
        raise RuntimeError(f"only {result['accepted']} of {result['commands']} orders were accepted")
    return result


def middle(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the round of median throughput."""
    return sorted(rounds, key=lambda each: each["throughput_per_s"])[(len(rounds) - 1) // 2]
