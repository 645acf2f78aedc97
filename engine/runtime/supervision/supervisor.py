"""Starts the processes of one instance, watches them, restarts them, stops all in order.

    start   epoch, segments, kernels -> journaler -> worker -> configuration
            -> shadow, doors -> ready
    watch   what ends is started again; a door that goes silent is killed first, and the sessions
            of its ring are declared down; a worker finds its state again from the journal
            durability none has no journal: the worker's end is everybody's
    stop    doors, then the worker once it has drained, the journaler once all is synced, the shadow
            once it has compared and snapshot everything, the names

The supervisor never touches a command of others. What it wants of the engine (the configuration at the
start, SESSION_DOWN) goes through a command ring of its own like everybody's.
"""

import gc
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import msgspec

from engine.contract import instance, port
from engine.contract.application import Application
from engine.contract.instance import DATABASE, HISTORY, JOURNALER, SHADOW, SUPERVISOR, WORKER
from engine.contract.latch import LATCH_POISON
from engine.runtime.journal.journal import JournalError
from engine.runtime.place import HeldFolder
from engine.runtime.process import RoleTakenError, Signals, forget_clean_pages, fork, take_role
from engine.runtime.processes.worker import LoopCall
from engine.runtime.shared_memory import Segments, segment_names
from engine.runtime.supervision.announcement import Announcement
from engine.runtime.supervision.children import Child, DoorSpec, ended
from engine.runtime.supervision.configure import FirstCommands, configure, sessions_down
from engine.runtime.supervision.endings import (
    StartError,
    cause_of,
    lacked_memory,
)
from engine.runtime.supervision.epoch import next_epoch
from engine.runtime.supervision.poison import Deaths
from engine.runtime.supervision.restarts import Restarts
from engine.runtime.supervision.services import Services
from engine.runtime.supervision.spares import Spares
from engine.settings.config import EngineSettings, HistorySettings
from engine.settings.door_settings import DoorError
from ringbuf.segment import SegmentError

log = logging.getLogger(__name__)

ADMIN_RING = "admin"
WATCH_S = 0.5
START_WAIT_S = 20.0
RECOVERY_WAIT_S = 3600.0
DOOR_STOP_WAIT_S = 6.0
STOP_WAITS_S = ((WORKER, 20.0), (JOURNALER, 20.0), (SHADOW, 60.0), (HISTORY, 30.0), (DATABASE, 30.0))
"""What stops after the doors, in order."""
STOP_WAIT_S_MAX = DOOR_STOP_WAIT_S + sum(wait_s for _, wait_s in STOP_WAITS_S)
SILENCE_NS = 5_000_000_000
"""A door that gives no sign of life for so long is killed and restarted."""


class Supervisor:
    """One start of an instance on one data folder.

    lock : of that folder, held by the caller as long as this runs (ownership.py)
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        lock: int,
        config: str,
        settings: EngineSettings,
        history: HistorySettings,
        application: Application,
        first: FirstCommands,
        doors: Sequence[DoorSpec],
        prepare: Callable[[], None] = lambda: None,
        compile_ahead: Callable[[], int] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.lock = lock
        self.config = config
        self.settings = settings
        self.history = history
        self.application = application
        self.first = first
        self.doors = {door.settings.name: door for door in doors}
        self.prepare = prepare
        self.compile_ahead = compile_ahead
        self.admin: port.Port | None = None
        self.children: dict[str, Child] = {}
        self.restarts = Restarts()
        self.started_at = time.time_ns()
        self.spares = tuple(f"spare-{i}" for i in range(settings.spare_rings))
        self.claims = Spares(data_dir, self.spares, self._sessions_down)
        self.deaths = Deaths()
        self.announcement = Announcement(self._describe)
        self.is_durable = settings.durability == "sync"

    def run(self, ready: Callable[[Sequence[Child], instance.Instance], None]) -> int:
        """Start, call `ready` once everything serves, watch until a signal, stop; return the exit code.

        Raises StartError when the start fails or the worker dies.
        """
        self.folder = HeldFolder(self.data_dir)
        self.signals = Signals()
        try:
            with self._segments() as self.segments:
                try:
                    if self._start():
                        ready(list(self.children.values()), self._describe())
                        forget_clean_pages()
                        self._watch()
                finally:
                    self._stop()
            return 0
        finally:
            with suppress(OSError):  # who finds it finds nobody there
                (self.data_dir / instance.INSTANCE_FILE).unlink()
            self.signals.close()
            self.folder.close()

    @contextmanager
    def _segments(self) -> Iterator[Segments]:
        """Yield the segments of a new epoch; remove their names after."""
        rings = (ADMIN_RING, *(d.settings.ring_name for d in self.doors.values() if d.settings.ring_name))
        self.rings = (*rings, *self.spares)
        self.epoch = next_epoch(self.data_dir)
        names = segment_names(self.data_dir)
        shared = self.application, self.settings, self.rings, tuple(self.doors), self.epoch
        try:
            counted = [name for door in self.doors.values() for name in door.counters]
            made = Segments(names, *shared, counted)
        except SegmentError as error:
            raise StartError(str(error)) from error
        try:
            made.open_descriptors(self.doors)
            yield made
        finally:
            made.unlink()

    def _start(self) -> bool:
        """Bring everything up; False when a signal came meanwhile."""
        for stale in (self.data_dir / instance.READY_FOLDER).glob("*"):
            stale.unlink()
        with self.signals.leaving(self._leave_compiling):
            self.call = self._compiled_call()
        shared = self.segments, self.call, self.data_dir, self.epoch
        self.services = Services(*shared, self.history, self.doors)
        instance.write(self._describe())
        gc.collect()
        gc.freeze()  # a collection in a child would copy every shared page
        engine = [JOURNALER, WORKER] if self.is_durable else [WORKER]
        for name in engine:
            self._start_service(name)
        self.prepare()
        gc.freeze()
        if not self._await_ready(engine, RECOVERY_WAIT_S):
            return False
        self.admin = port.Port.attach(self.data_dir, ADMIN_RING)
        configure(self.application, self.admin, self.segments.state.slots, self.first)
        has_shadow = self.is_durable and self.settings.shadow != "off"
        for name in (SHADOW, *self.doors) if has_shadow else self.doors:
            self._start_service(name)
        if not self._await_ready(list(self.doors)):
            return False
        for name in self.services.of_history:
            self._start_service(name)
        instance.write(self._describe())
        return True

    def _compiled_call(self) -> LoopCall:
        """Return the call of the loop, compiled, while a second core compiles what recovery needs."""
        compile_ahead, ahead = self.compile_ahead, 0
        if self.is_durable and compile_ahead is not None:
            ahead = fork("compiler", compile_ahead, (self.lock, *self.signals.descriptors))
        call = LoopCall(self.segments)
        call.warm_up(self.segments)
        if ahead:
            os.waitpid(ahead, 0)
        if self.is_durable:
            call.prepare_recovery(self.segments)
        return call

    def _leave_compiling(self) -> NoReturn:
        """End at once, whatever was under way: nothing runs but a compiler, which dies with this process."""
        try:
            self.segments.unlink()
            os.write(2, b"stopped while kernels were compiled: the next start goes on\n")
        finally:
            os._exit(0)

    def _fork(self, name: str, run: Callable[[], int]) -> None:
        """Start a process that first takes its role."""

        def with_role() -> int:
            try:
                take_role(self.data_dir, name)  # held until the process ends
            except (RoleTakenError, OSError) as error:
                log.error("%s cannot start: %s", name, error)
                return 1
            return run()

        admin = (self.admin.lock,) if self.admin else ()
        own = (self.lock, self.folder.descriptor, *admin, *self.signals.descriptors)
        self.segments.counters.beat(f"{name}.heartbeat")  # it is silent no earlier than it begins
        self.children[name] = Child(name, fork(name, with_role, own))

    def _start_service(self, name: str) -> None:
        """Start the process of this name: the first time, or once more."""

        def explained() -> int:
            try:
                return self.services.serve(name)
            except (DoorError, port.PortError, JournalError, OSError) as error:
                if isinstance(error, OSError) and not str(error.filename).startswith(str(self.data_dir)):
                    raise  # a bug of ours: with its traceback
                instance.write_failure(self.data_dir, name, str(error))
                return 1

        self._fork(name, explained)

    def _await_ready(self, names: list[str], wait_s: float = START_WAIT_S) -> bool:
        """Wait until these processes have reported; False when a signal came."""
        deadline = time.monotonic() + wait_s
        waiting = list(names)
        while waiting:
            if self.signals.wait(0.005):
                return False
            self.segments.counters.beat("supervisor.heartbeat")
            self._reap_starting()
            for name in list(waiting):
                child = self.children[name]
                bound = instance.read_ready(self.data_dir, name, child.pid)
                if bound is not None:
                    child.bound_port, child.has_reported = bound, True
                    waiting.remove(name)
            if waiting and time.monotonic() > deadline:
                raise StartError(f"{', '.join(waiting)} did not become ready within {wait_s:.0f} s")
        return True

    def _reap_starting(self) -> None:
        """Raise StartError where a process has ended during the start."""
        for child, status in ended(self.children):
            failure = instance.read_failure(self.data_dir, child.name)
            raise StartError(failure or f"{child.name} (pid {child.pid}) ended at start: {cause_of(status)}")

    def _describe(self) -> instance.Instance:
        bound = {name: child.bound_port for name, child in self.children.items()}
        listening = {name: door for name, door in self.doors.items() if door.settings.scheme}
        urls = {door.settings.section: door.url(bound.get(name, 0)) for name, door in listening.items()}
        return instance.Instance(
            epoch=self.epoch,
            data_dir=str(self.data_dir),
            application=self.application.name,
            durability=self.settings.durability,
            config=self.config,
            started_at=self.started_at,
            processes=(
                instance.Process(SUPERVISOR, os.getpid()),
                *(instance.Process(each.name, each.pid) for each in self.children.values()),
                *self.restarts.awaited(self.children),
            ),
            rings=self.rings,
            spares=self.spares,
            command_slots=self.settings.command_ring,
            segments=segment_names(self.data_dir),
            wait=self.settings.wait,
            sleepers=self.segments.sleepers,
            command_fields=instance.fields_of(self.application.command_dtype),
            event_fields=instance.fields_of(self.application.event_dtype),
            event_forms=self.application.spread.sources.tolist(),
            state_fields=instance.fields_of(self.application.state_dtype),
            doors=dict(sorted(urls.items())),
            history=self.services.dsn,
            endings=tuple(self.restarts.endings.values()),
        )

    def _watch(self) -> None:
        """Look after the processes until a signal to stop."""
        while not self.signals.wait(WATCH_S):
            self.segments.counters.beat("supervisor.heartbeat")
            is_reachable = self.folder.look(self.segments)
            for child, status in ended(self.children):
                told = instance.read_failure(self.data_dir, child.name)
                cause = child.killed_because or told or cause_of(status)
                self.restarts.note(child, cause)
                self.segments.wake_up(child.name)
                if child.name != WORKER or self._may_restart(child, status, cause):
                    self._plan_restart(child, cause)
                self.announcement.is_late = True
            self._kill_silent()
            if is_reachable:
                self._restart_due()
            self.claims.reclaim()
            assert self.admin is not None
            self.admin.drain()

    def _may_restart(self, child: Child, status: int, cause: str) -> bool:
        """Decide whether a worker may start again."""
        if not self.is_durable:
            raise StartError(
                f"the worker (pid {child.pid}) ended: {cause}; everything was stopped, "
                f"start again (durability is none: the state is lost)"
            )
        if lacked_memory(status):
            return True  # whichever command it was at: no command is to blame
        applying = self.deaths.note(self.segments.state.slots[0], self.call.loop)
        if applying is None:
            return True
        self.segments.latch(LATCH_POISON)
        mend = f"stop, `pinion journal quarantine {applying} --data {self.data_dir}`, start again"
        log.critical("the worker died twice at seq %d: it is not started again; %s", applying, mend)
        return False

    def _plan_restart(self, child: Child, cause: str) -> None:
        """Note when a process that ended starts again, and declare a door's sessions down."""
        name = child.name
        delay_s = self.restarts.plan(child)
        level = logging.ERROR if self.restarts.is_news(child, cause) else logging.INFO
        log.log(level, "%s (pid %d) ended: %s; it starts again in %.1f s", name, child.pid, cause, delay_s)
        if name not in self.doors:
            return
        spec = self.doors[name]
        if child.bound_port:  # the address that was announced stays good, also when any port was asked for
            settings = msgspec.structs.replace(spec.settings, port=child.bound_port)
            self.doors[name] = replace(spec, settings=settings)
        if spec.settings.ring_name:
            self._sessions_down(spec.settings.ring_name)

    def _restart_due(self) -> None:
        for name in self.restarts.take_due():
            self._start_service(name)
            if name in self.doors:
                self.children[name].bound_port = self.doors[name].settings.port
            self.segments.counters.add("supervisor.restarts")
            log.info("%s started again as pid %d", name, self.children[name].pid)
            self.announcement.write()
        for name, child in self.children.items():
            bound = None if child.has_reported else instance.read_ready(self.data_dir, name, child.pid)
            if bound is None:
                continue
            child.has_reported = True
            if bound != child.bound_port:
                child.bound_port = bound
                self.announcement.write()
        self.announcement.catch_up()

    def _kill_silent(self) -> None:
        """Kill a door whose heartbeat stopped: its end is then handled like any other."""
        for name, child in self.children.items():
            if name not in self.doors or name in self.restarts:
                continue
            age_ns = self.segments.counters.age_ns(f"{name}.heartbeat")
            grown_up = time.monotonic() - child.started > SILENCE_NS / 1e9
            if grown_up and age_ns is not None and age_ns > SILENCE_NS:
                child.killed_because = f"gave no sign of life for {age_ns / 1e9:.1f} s and was killed"
                os.kill(child.pid, signal.SIGKILL)

    def _sessions_down(self, ring: str, is_free: bool = False) -> None:
        """Tell the engine that every session of this ring has ended."""
        if is_free:  # whoever holds it writes its bell itself
            self.segments.wake_up(ring)
        assert self.admin is not None
        if not sessions_down(self.application, self.admin, self.rings.index(ring)):
            log.error("the supervisor's ring is full: SESSION_DOWN of %s was not sent", ring)

    def _stop(self) -> None:
        """Stop the doors, the worker when it has drained, the journaler when all is on the disk."""
        self._end([name for name in self.children if name in self.doors], DOOR_STOP_WAIT_S)
        for name, wait_s in STOP_WAITS_S:
            self._end([name], wait_s)

    def _end(self, names: list[str], wait_s: float) -> None:
        """Ask these processes to end; kill those that do not."""
        for name in names:
            if name in self.children:
                self.children[name].ask()
        deadline = time.monotonic() + wait_s
        while any(name in self.children for name in names):
            for child, status in ended(self.children):
                if not (child.has_obeyed(status) or child.killed_because):
                    cause = instance.read_failure(self.data_dir, child.name) or cause_of(status)
                    log.warning("%s (pid %d) ended: %s", child.name, child.pid, cause)
            if time.monotonic() > deadline:
                for name in names:
                    if name in self.children:
                        self.children[name].killed_because = "did not stop"
                        log.error("%s did not stop within %.0f s and is killed", name, wait_s)
                        os.kill(self.children[name].pid, signal.SIGKILL)
                deadline = float("inf")
            self.signals.wait_for_child(0.02)
