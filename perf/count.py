"""`python -m perf count`: instructions a command, exactly, of this checkout and of another one.

Times on a shared machine move by half within minutes; the number of instructions does not move at
all (decision 17). Three cases a mix: `step`, the kernels alone as in tier step, `pipeline`, the
worker's loop with command ring, journal ring and event ring and nobody at their other ends, and
`rings`, the same with four command rings in which four commands wait at every turn.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perf.counted import MARK, RINGS, TURNS, WAITING
from perf.flow.mixes import MIXES
from perf.machine import ROOT
from perf.report import aligned, write_text
from perf.single_step import TraceError, stretches

TIERS = ("step", "pipeline", "rings")
COMMANDS = 512
COUNTED = Path(__file__).with_name("counted.py")
RATIO_MAX = 1.01
Count = dict[str, Any]


def warm_up(root: Path, tier: str, mix: str) -> None:
    """Compile a checkout's kernels before they are counted: a process that compiles has other memory."""
    subprocess.run(
        [sys.executable, str(COUNTED), str(root), tier, mix, "0"],
        env=_environment(), cwd=root, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")} | {
        "PYTHONHASHSEED": "0"
    }


def counted(root: Path, tier: str, mix: str, commands: int) -> int:
    """Return the instructions that a checkout takes for some commands of a mix; raise TraceError."""
    with tempfile.TemporaryFile("w+") as told:
        child = subprocess.Popen(
            [sys.executable, str(COUNTED), str(root), tier, mix, str(commands)],
            stdout=told, env=_environment(), cwd=root,
        )  # fmt: skip
        try:
            made = list(stretches(child.pid, MARK))
            child.returncode = 0  # it was waited for
        finally:
            if child.returncode is None:
                child.kill()
                child.wait()
        told.seek(0)
        result = json.loads(told.read())
    if result["checked"] is not True or not made:
        raise TraceError(f"{tier}/{mix} of {root}: what was done differs from the flow's model")
    return sum(made[1::2]) - sum(made[::2])


def taken(tier: str, commands: int) -> int:
    """Return how many commands of a mix a tier takes where `commands` are asked for."""
    return RINGS * WAITING * TURNS if tier == "rings" else commands


def measure(base: Path | None, mixes: Sequence[str], commands: int) -> list[Count]:
    """Count every tier and mix, beside `base` where one is given; print each as it comes."""
    lines: list[Count] = []
    for tier in TIERS:
        for each in (ROOT, base):
            if each is not None:
                warm_up(each, tier, mixes[0])
        for mix in mixes:
            here = counted(ROOT, tier, mix, commands)
            count = taken(tier, commands)
            line: Count = {
                "tier": tier,
                "case": mix,
                "commands": count,
                "instructions": here,
                "instructions_per_command": round(here / count, 1),
            }
            if base is not None:
                before = counted(base, tier, mix, commands)
                line |= {"base_instructions": before, "ratio": round(here / before, 4)}
            lines.append(line | {"checked": True})
            print(f"{tier}/{mix}: {line['instructions_per_command']} a command", file=sys.stderr, flush=True)
    return lines


def table(lines: Sequence[Count]) -> str:
    """Return the counts as a table of text."""
    rows = [["tier/case", "commands", "a command", "base", "ratio"]]
    for line in lines:
        base = line.get("base_instructions")
        rows.append(
            [
                f"{line['tier']}/{line['case']}",
                f"{line['commands']:,}",
                f"{line['instructions_per_command']:,.1f}",
                "-" if base is None else f"{base / line['commands']:,.1f}",
                "-" if base is None else f"{line['ratio']:.4f}",
            ]
        )
    return aligned(rows)


def run(base: Path | None, mixes: Sequence[str], commands: int, path: Path | None) -> int:
    """Count, print and write; return 0, or 1 where a ratio is above RATIO_MAX."""
    lines = measure(base, mixes or [mix.name for mix in MIXES], commands)
    print(table(lines))
    if path is not None:
        write_text(path, json.dumps(lines, indent=1) + "\n")
    above = [line for line in lines if line.get("ratio", 0) > RATIO_MAX]
    for line in above:
        print(
            f"perf count: {line['tier']}/{line['case']} takes {line['ratio']} of the base's instructions, "
            f"more than {RATIO_MAX}",
            file=sys.stderr,
        )
    return 1 if above else 0
