"""What a process of the instance asks of the operating system: forks, locks, memory.

The supervisor is its own fork server: it loads numba and the kernels once, keeps to a single
thread, and forks each process from there. So the kernels' pages are shared, a child starts in
milliseconds, and PR_SET_PDEATHSIG refers to the supervisor itself: when it dies, all die.
"""

import ctypes
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from engine.contract.instance import take_lock, write_failure
from engine.contract.stop_signals import stop_signals

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
MADV_DONTNEED = 4
MCL_CURRENT = 1
MCL_FUTURE = 2
MCL_ONFAULT = 4
EXIT_CRASHED = 70


class RoleTakenError(Exception):
    """Error of a role that another process holds on the data folder."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"{path} is held by process {pid if pid else 'unknown'}")
        self.pid = pid


class Signals:
    """The signals of a supervisor: a wait, with a limit, for a signal to stop or the end of a child.

    Handlers and a pipe, not a blocked mask: numpy's library has threads of its own, and a
    signal to the process may be delivered to any of them.

    stopping : the signals to stop on, those of stop_signals() when left out
    """

    def __init__(self, stopping: Sequence[signal.Signals] = ()) -> None:
        self.stop_wanted = False
        self._leave: Callable[[], NoReturn] | None = None
        self.reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._previous = {number: signal.signal(number, self._stop) for number in stopping or stop_signals()}
        self._previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def _stop(self, *_: object) -> None:
        self.stop_wanted = True
        if self._leave is not None:
            self._leave()

    @contextmanager
    def leaving(self, leave: Callable[[], NoReturn]) -> Iterator[None]:
        """Have a signal to stop call `leave`, wherever this process is, until the block ends.

        For code that takes long and cannot bear an exception from outside, as a compiler.
        """
        self._leave = leave
        try:
            if self.stop_wanted:
                leave()
            yield
        finally:
            self._leave = None

    def wait(self, wait_s: float) -> bool:
        """Return at a signal or when the time is up; True when a stop is wanted."""
        if not self.stop_wanted and select.select([self.reading], [], [], wait_s)[0]:
            os.read(self.reading, 4096)
        return self.stop_wanted

    def wait_for_child(self, wait_s: float) -> None:
        """As `wait`, for those who are stopping already."""
        if select.select([self.reading], [], [], wait_s)[0]:
            os.read(self.reading, 4096)

    @property
    def descriptors(self) -> tuple[int, int]:
        """The two descriptors of the pipe, which a child closes."""
        return self.reading, self._writing

    def close(self) -> None:
        """Put everything back as it was."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        os.close(self.reading)
        os.close(self._writing)


def role_lock_path(data_dir: Path, role: str) -> Path:
    """Return the lock file of a role (protocol rule 1)."""
    return data_dir / f"{role}.lock"


def take_role(data_dir: Path, role: str) -> int:
    """Take the role's lock for life and note our pid in it; RoleTakenError names the holder."""
    path = role_lock_path(data_dir, role)
    lock = take_lock(path, str(os.getpid()).encode())
    if lock is None:
        holder = path.read_bytes()[:32].strip()
        raise RoleTakenError(path, int(holder) if holder.isdigit() else None)
    return lock


def await_role(data_dir: Path, role: str, wait_s: float) -> None:
    """Wait until nobody holds the role: a dead supervisor's children may still be ending."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            os.close(take_role(data_dir, role))
            return
        except RoleTakenError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def fork(name: str, run: Callable[[], int], close_in_child: tuple[int, ...]) -> int:
    """Start a process that calls `run` and ends with its result; return its pid.

    The child dies with its parent, ignores SIGINT and SIGHUP (the parent passes on what is meant
    for it), and begins with the default SIGTERM. `close_in_child`: the parent's own locks.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    # A signal that reaches the child before it has its own handlers would meet, and end in, the parent's.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return pid
    code = EXIT_CRASHED
    try:
        _become_child(name, parent, close_in_child)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = run()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else EXIT_CRASHED
    except BaseException:
        # Nothing of the parent's stack may run in the child: report and leave.
        log.exception("%s ended by an error", name)
    finally:
        try:
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:  # whatever could not be written: a child that went on would be a second supervisor
            os._exit(code)


def ending(data_dir: Path, name: str) -> Callable[[str], NoReturn]:
    """Return what ends a process of the instance at once, wherever it is, and tells its supervisor why."""

    def end(text: str) -> NoReturn:
        log.error("%s ends: %s", name, text)
        write_failure(data_dir, name, text)
        logging.shutdown()
        os._exit(1)

    return end


def _become_child(name: str, parent: int, close_in_child: tuple[int, ...]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NAME, f"pinion-{name}".encode()[:15], 0, 0, 0)
    if os.getppid() != parent:  # it died before the request above
        os._exit(EXIT_CRASHED)
    for from_terminal in (signal.SIGINT, signal.SIGHUP):
        signal.signal(from_terminal, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    for descriptor in close_in_child:
        os.close(descriptor)


def forget_clean_pages() -> None:
    """Unmap the pages of programs and libraries that were read and never changed: who needs one faults it in.

    Compiling, or loading what was compiled, touches most of LLVM, 60 MB; nothing of that runs again.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    where = (0, 0)
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            begin, _, end = first.partition("-")
            is_file = len(rest) == 5 and rest[4].startswith("/") and "w" not in rest[0] and rest[0][3] == "p"
            where = (int(begin, 16), int(end, 16)) if is_file else (0, 0)
        elif first == "Anonymous:" and rest[0] == "0" and where[1]:  # no page of it is ours alone
            libc.madvise(ctypes.c_void_p(where[0]), ctypes.c_size_t(where[1] - where[0]), MADV_DONTNEED)


def lock_memory() -> bool:
    """Keep every page that is ever touched in memory, where that is allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0:
        return True
    reason = os.strerror(ctypes.get_errno())
    log.info("memory is not locked (%s): raise the memlock limit to avoid page faults", reason)
    return False
