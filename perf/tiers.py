"""The benchmark tiers by name, each a module `perf.bench_NAME` with `run(quick) -> lines`."""

import importlib
from typing import Any

from perf.result import Line, check_line

TIERS = {
    "ring": "ring and broadcast between two processes, 128-byte records",
    "step": "validate, risk, match, settle, events on one core, no rings",
    "decide": "payments: gather, base rules, hold and remember on one core, no rings",
    "pipeline": "gateway ring, worker, event ring, reader on two cores",
    "durable": "the pipeline with fdatasync before release",
    "recovery": "a journal of many commands replayed; the start of an instance on it",
    "history": "the journal replayed and projected into PostgreSQL; queries of many rows",
    "http": "POST order to acknowledgement, beside a bare handler",
    "websocket": "pipelined orders over one WebSocket session",
}
"""Name -> what it measures, innermost first."""


class TierError(ValueError):
    """A tier that does not exist was asked for; the text says which there are."""


def chosen_tiers(names: list[str]) -> list[str]:
    """Return the tiers named, or all; TierError for others."""
    for name in names:
        if name not in TIERS:
            raise TierError(f"unknown tier {name!r}; known: {', '.join(TIERS)}")
    return names or list(TIERS)


def run_tier(name: str, quick: bool) -> list[Line]:
    """Run a tier and return its checked lines."""
    module: Any = importlib.import_module(f"perf.bench_{name}")
    lines: list[Line] = module.run(quick)
    for line in lines:
        check_line(line)
    return lines
