"""Starts the processes of one instance, watches them, restarts doors, stops all in order.

    start   role lock, epoch, segments, kernels -> worker -> configuration -> doors -> ready
    watch   a door that ends or goes silent is restarted; its sessions are declared down
            the worker ends: everything stops, for its recovery needs the journal
    stop    doors, then the worker once it has drained, then the segments' names

The supervisor never touches an order. What it wants of the engine (the configuration at the
start, SESSION_DOWN) goes through a command ring of its own like everybody's.
"""

import gc
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np

from engine import instance, port
from engine.config import DoorSettings, EngineSettings
from engine.records import COMMAND, COMMAND_VERSION, Op, Role
from engine.runtime.configure import Definition, configure
from engine.runtime.endings import StartError, cause_of, read_failure, write_failure
from engine.runtime.epoch import next_epoch
from engine.runtime.process import (
    RoleTakenError,
    Signals,
    await_role,
    fork,
    take_role,
)
from engine.runtime.segments import SUPERVISOR, WORKER, Application, Segments, segment_names
from engine.runtime.worker import LoopCall, run_worker
from ringbuf.segment import SegmentError, process_start

log = logging.getLogger(__name__)

ADMIN_RING = "admin"
WATCH_S = 0.2
START_WAIT_S = 20.0
ROLE_WAIT_S = 5.0
DOOR_STOP_WAIT_S = 6.0
WORKER_STOP_WAIT_S = 20.0
SILENCE_NS = 5_000_000_000
"""A door that gives no sign of life for so long is killed and restarted."""
BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0
SETTLED_S = 30.0
"""A door that ran for so long starts again without delay."""


@dataclass(frozen=True, slots=True)
class DoorSpec:
    """A door and the entry point of its process."""

    settings: DoorSettings
    run: Callable[[DoorSettings], None]


@dataclass(slots=True)
class Child:
    """A process that runs."""

    name: str
    pid: int
    started: float = field(default_factory=time.monotonic)
    bound_port: int = 0


class Supervisor:
    """One start of an instance on one data folder."""

    def __init__(
        self,
        *,
        data_dir: Path,
        config: str,
        settings: EngineSettings,
        application: Application,
        definitions: Sequence[Definition],
        doors: Sequence[DoorSpec],
        prepare: Callable[[Path], None] = lambda data_dir: None,
    ) -> None:
        self.data_dir = data_dir
        self.config = config
        self.settings = settings
        self.application = application
        self.definitions = definitions
        self.doors = {door.settings.name: door for door in doors}
        self.prepare = prepare
        self.children: dict[str, Child] = {}
        self.restart_at: dict[str, float] = {}
        self.backoff_s: dict[str, float] = {}
        self.claims: dict[str, tuple[int, int | None]] = {}
        self.started_at = time.time_ns()
        self.spares = tuple(f"spare-{i}" for i in range(settings.spare_rings))

    def run(self, ready: Callable[[Sequence[Child], instance.Instance], None]) -> int:
        """Start, call `ready` once everything serves, watch until a signal, stop; return the exit code.

        Raises StartError when the start fails or the worker dies.
        """
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock = self._take_folder()
        self.signals = Signals()
        try:
            with self._segments() as self.segments:
                try:
                    if self._start():
                        ready(list(self.children.values()), self._describe())
                        self._watch()
                finally:
                    self._stop()
            return 0
        finally:
            with suppress(FileNotFoundError):
                (self.data_dir / instance.INSTANCE_FILE).unlink()
            self.signals.close()
            os.close(self.lock)

    def _take_folder(self) -> int:
        """Take the folder, or say who has it; wait for a dead supervisor's children."""
        try:
            lock = take_role(self.data_dir, SUPERVISOR)
        except RoleTakenError as error:
            raise StartError(
                f"{self.data_dir} is in use by process {error.pid}: stop it (kill {error.pid}) "
                f"or give another folder with --data DIR"
            ) from error
        try:
            for role in (WORKER, *self.doors):
                await_role(self.data_dir, role, ROLE_WAIT_S)
        except RoleTakenError as error:
            os.close(lock)
            raise StartError(f"a process of an earlier start still runs: {error}; kill it") from error
        return lock

    @contextmanager
    def _segments(self) -> Iterator[Segments]:
        """Yield the segments of a new epoch; remove their names after."""
        rings = (ADMIN_RING, *(d.settings.ring_name for d in self.doors.values() if d.settings.ring_name))
        self.rings = (*rings, *self.spares)
        self.epoch = next_epoch(self.data_dir)
        names = segment_names(self.data_dir)
        try:
            made = Segments(names, self.application, self.settings, self.rings, tuple(self.doors), self.epoch)
        except SegmentError as error:
            raise StartError(str(error)) from error
        try:
            yield made
        finally:
            made.unlink()

    def _start(self) -> bool:
        """Bring everything up; False when a signal came meanwhile."""
        for stale in (self.data_dir / instance.READY_FOLDER).glob("*"):
            stale.unlink()
        call = LoopCall(self.segments)
        call.warm_up(self.segments)
        instance.write(self._describe())
        self.admin = port.Port.attach(self.data_dir, ADMIN_RING)
        gc.collect()
        gc.freeze()  # a collection in a child would copy every shared page
        self._fork(WORKER, lambda: run_worker(call, self.segments, self.data_dir))
        if not self._await_ready([WORKER]):
            return False
        configure(self.admin, self.definitions)
        self.prepare(self.data_dir)
        for name in self.doors:
            self._start_door(name)
        if not self._await_ready(list(self.doors)):
            return False
        instance.write(self._describe())
        return True

    def _fork(self, name: str, run: Callable[[], int]) -> Child:
        """Start a process that first takes its role."""

        def with_role() -> int:
            take_role(self.data_dir, name)  # held until the process ends
            return run()

        pid = fork(name, with_role, (self.lock, self.admin.lock, *self.signals.descriptors))
        self.children[name] = Child(name, pid)
        return self.children[name]

    def _start_door(self, name: str) -> None:
        spec = self.doors[name]

        def run() -> int:
            try:
                spec.run(spec.settings)
            except (port.DoorError, port.PortError) as error:
                write_failure(self.data_dir, name, str(error))
                return 1
            return 0

        self._fork(name, run)

    def _await_ready(self, names: list[str]) -> bool:
        """Wait until these processes have reported; False when a signal came."""
        deadline = time.monotonic() + START_WAIT_S
        waiting = list(names)
        while waiting:
            if self.signals.wait(0.005):
                return False
            self._reap_starting()
            for name in list(waiting):
                child = self.children[name]
                bound = instance.read_ready(self.data_dir, name, child.pid)
                if bound is not None:
                    child.bound_port = bound
                    waiting.remove(name)
            if waiting and time.monotonic() > deadline:
                raise StartError(f"{', '.join(waiting)} did not become ready within {START_WAIT_S:.0f} s")
        return True

    def _reap_starting(self) -> None:
        """A process that ends during the start ends the start."""
        for child, status in self._ended():
            failure = read_failure(self.data_dir, child.name)
            raise StartError(failure or f"{child.name} (pid {child.pid}) ended at start: {cause_of(status)}")

    def _describe(self) -> instance.Instance:
        bound = {name: child.bound_port for name, child in self.children.items()}
        hosts = {name: door.settings.host for name, door in self.doors.items()}
        urls = {name: f"http://{_in_url(hosts[name])}:{bound.get(name, 0)}" for name in self.doors}
        return instance.Instance(
            epoch=self.epoch,
            data_dir=str(self.data_dir),
            application=self.application.name,
            durability="none",
            config=self.config,
            started_at=self.started_at,
            processes=(
                instance.Process(SUPERVISOR, os.getpid()),
                *(instance.Process(each.name, each.pid) for each in self.children.values()),
            ),
            rings=self.rings,
            spares=self.spares,
            command_slots=self.settings.command_ring,
            segments=segment_names(self.data_dir),
            state_fields=instance.fields_of(self.application.state_dtype),
            api=urls.get("api", ""),
            orders=urls.get("http", ""),
        )

    def _watch(self) -> None:
        """Look after the processes until SIGINT or SIGTERM."""
        while not self.signals.wait(WATCH_S):
            self.segments.counters.beat("supervisor.heartbeat")
            for child, status in self._ended():
                if child.name == WORKER:
                    raise StartError(
                        f"the worker (pid {child.pid}) ended: {cause_of(status)}; everything was stopped, "
                        f"start again (durability is none: the state is lost)"
                    )
                self._plan_restart(child, status)
            self._kill_silent()
            self._restart_due()
            self._reclaim_spares()
            self.admin.drain()

    def _plan_restart(self, child: Child, status: int) -> None:
        """Note when a door that ended starts again, and declare its sessions down."""
        name = child.name
        if time.monotonic() - child.started > SETTLED_S:
            self.backoff_s.pop(name, None)
        delay_s = self.backoff_s.get(name, BACKOFF_FIRST_S)
        self.backoff_s[name] = min(2 * delay_s, BACKOFF_MAX_S)
        self.restart_at[name] = time.monotonic() + delay_s
        cause = read_failure(self.data_dir, name) or cause_of(status)
        log.error("%s (pid %d) ended: %s; it starts again in %.1f s", name, child.pid, cause, delay_s)
        spec = self.doors[name]
        if child.bound_port:  # the address that was announced stays good, also when any port was asked for
            settings = msgspec.structs.replace(spec.settings, port=child.bound_port)
            self.doors[name] = replace(spec, settings=settings)
        if spec.settings.ring_name:
            self._sessions_down(spec.settings.ring_name)

    def _restart_due(self) -> None:
        for name, when in list(self.restart_at.items()):
            if time.monotonic() < when:
                continue
            del self.restart_at[name]
            self._start_door(name)
            self.children[name].bound_port = self.doors[name].settings.port
            self.segments.counters.add("supervisor.restarts")
            log.info("%s started again as pid %d", name, self.children[name].pid)
            instance.write(self._describe())
        for name, child in self.children.items():
            bound = instance.read_ready(self.data_dir, name, child.pid)
            if bound is not None and bound != child.bound_port:
                child.bound_port = bound
                instance.write(self._describe())

    def _kill_silent(self) -> None:
        """Kill a door whose heart stopped: its end is then handled like any other."""
        for name, child in self.children.items():
            if name == WORKER or name in self.restart_at:
                continue
            age_ns = self.segments.counters.age_ns(f"{name}.heartbeat")
            grown_up = time.monotonic() - child.started > SILENCE_NS / 1e9
            if grown_up and age_ns is not None and age_ns > SILENCE_NS:
                log.error("%s (pid %d) gave no sign of life for %.1f s", name, child.pid, age_ns / 1e9)
                os.kill(child.pid, signal.SIGKILL)

    def _reclaim_spares(self) -> None:
        """Declare the sessions of a feeder down when it gave its ring back or died."""
        for ring in self.spares:
            holder = _ring_holder(instance.ring_lock_path(self.data_dir, ring))
            known = self.claims.get(ring)
            if known is not None and (holder is None or holder != known):
                self._sessions_down(ring)
                log.info("command ring %s is free again (process %d is gone)", ring, known[0])
                del self.claims[ring]
            if holder is not None:
                self.claims[ring] = holder

    def _sessions_down(self, ring: str) -> None:
        """Tell the engine that every session of this ring has ended."""
        command = np.zeros(1, COMMAND)
        command["op"], command["version"], command["roles"] = Op.SESSION_DOWN, COMMAND_VERSION, Role.ALL
        command["value"] = self.rings.index(ring)
        if self.admin.submit(command) == 0:
            log.error("the supervisor's ring is full: SESSION_DOWN of %s was not sent", ring)

    def _ended(self) -> Iterator[tuple[Child, int]]:
        """Yield the processes that ended since the last call, with their wait status."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, child in list(self.children.items()):
                if child.pid == pid:
                    del self.children[name]
                    yield child, status

    def _stop(self) -> None:
        """Stop the doors, then the worker when it has drained."""
        self._end([name for name in self.children if name != WORKER], DOOR_STOP_WAIT_S)
        self._end([WORKER], WORKER_STOP_WAIT_S)

    def _end(self, names: list[str], wait_s: float) -> None:
        """Ask these processes to end; kill those that do not."""
        for name in names:
            if name in self.children:
                os.kill(self.children[name].pid, signal.SIGTERM)
        deadline = time.monotonic() + wait_s
        while any(name in self.children for name in names):
            for child, status in self._ended():
                if status:
                    log.warning("%s (pid %d) ended: %s", child.name, child.pid, cause_of(status))
            if time.monotonic() > deadline:
                for name in names:
                    if name in self.children:
                        log.error("%s did not stop within %.0f s and is killed", name, wait_s)
                        os.kill(self.children[name].pid, signal.SIGKILL)
                deadline = float("inf")
            self.signals.wait_for_child(0.02)


def _ring_holder(path: Path) -> tuple[int, int | None] | None:
    """Return (pid, start time) of the living process that a ring's lock file names."""
    try:
        pid = int(json.loads(path.read_bytes())["pid"])
    except (FileNotFoundError, ValueError, KeyError):
        return None
    start = process_start(pid)
    return None if start is None else (pid, start)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
