"""Which CPUs each process of an instance may run on, and which ones it yields to.

    wait     CPUs        worker     journaler     doors              shadow, history, database
    every    1           any        any           any                any
    block    2 or 3      any        any           any                the first
    else     2 or 3      its own    not that one  any                the first
    every    4 and more  its own    its own       neither of these   the first

The worker's own CPU is `engine.cpu`, "auto" the last one there is. Where CPUs are fewer than busy processes
and all of them sleep until called, the kernel places them better than we do (docs/decisions/0022).

Shadow, history and database apply the same commands once more, for nobody who waits. They share one CPU, so
that whoever of the others wakes finds another one free of them; history runs when nobody else wants to
(SCHED_IDLE); the shadow, whose snapshots bound a recovery, and the database, which is asked by people too,
have a lower rank than the engine.
"""

import logging
import os

from engine.contract.instance import DATABASE, HISTORY, JOURNALER, SHADOW, WORKER
from engine.settings.config import EngineSettings

log = logging.getLogger(__name__)

BACKGROUND = (SHADOW, HISTORY, DATABASE)
CPUS_FOR_ALL = 4
"""With so many, worker and journaler have one each and two are left."""
BACKGROUND_NICENESS = 10


def place(name: str, settings: EngineSettings) -> None:
    """Give this process the CPUs and the rank that its name asks for, as far as that is permitted here."""
    allowed = os.sched_getaffinity(0)
    cpus = cpus_of(name, settings, allowed)
    if cpus != allowed:
        os.sched_setaffinity(0, cpus)
    if name == WORKER and isinstance(settings.cpu, int) and settings.cpu not in allowed:
        log.warning(
            "engine.cpu = %s: not available here (there are %s); not pinned", settings.cpu, sorted(allowed)
        )
    if name == DATABASE or (name == SHADOW and settings.shadow == "nice"):
        os.nice(BACKGROUND_NICENESS)
    elif name == HISTORY:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def cpus_of(name: str, settings: EngineSettings, allowed: set[int]) -> set[int]:
    """Return those of the allowed CPUs that a process of this name may use."""
    if name == SHADOW and isinstance(settings.shadow, int) and settings.shadow in allowed:
        return {settings.shadow}
    if name in BACKGROUND:
        return {min(allowed)}
    of_worker = _of_worker(settings, allowed)
    if of_worker is None:
        return allowed
    others = allowed - {of_worker}
    if name == WORKER:
        return {of_worker}
    if len(allowed) < CPUS_FOR_ALL:
        return others if name == JOURNALER else allowed
    of_journaler = max(others)
    return {of_journaler} if name == JOURNALER else others - {of_journaler}


def _of_worker(settings: EngineSettings, allowed: set[int]) -> int | None:
    """Return the worker's own CPU, None where it has none."""
    if isinstance(settings.cpu, int):
        return settings.cpu if settings.cpu in allowed and len(allowed) > 1 else None
    is_crowded = len(allowed) == 1 or (settings.wait == "block" and len(allowed) < CPUS_FOR_ALL)
    return None if settings.cpu == "none" or is_crowded else max(allowed)
