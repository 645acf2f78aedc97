"""The user that PostgreSQL runs as, since PostgreSQL refuses to run as root.

A root that may make user namespaces runs it in one where root's own files belong to an ordinary
user, so nothing has to change hands. A root that may not, as in most containers, gives the
program's folder to an unprivileged user of the system. Everybody else simply runs it.
"""

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.runtime.process import PR_SET_PDEATHSIG

CLONE_NEWUSER = 0x10000000
ORDINARY_USERS = ("postgres", "nobody")


class NoOrdinaryUserError(Exception):
    """Error of a start as root without an ordinary user to run the server as; the text says what to do."""


class Identity:
    """The identity that the server runs with: our own, or an ordinary user's where we are root."""

    def __init__(self, user: pwd.struct_passwd | None, in_namespace: bool) -> None:
        self._user = user
        self._in_namespace = in_namespace

    @classmethod
    def of_this_process(cls, data_dir: Path) -> "Identity":
        """Choose the identity for a server of this process; only root has to take another one."""
        if os.geteuid() != 0:
            return cls(None, False)
        user = _ordinary_user()
        if _may_make_namespaces(user.pw_uid):
            return cls(user, True)
        data_dir.chmod(data_dir.stat().st_mode | 0o011)  # passable, not readable
        return cls(user, False)

    def own(self, folder: Path) -> None:
        """Give a folder to the user that the server runs as."""
        if self._user is not None and not self._in_namespace:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def uids(self) -> set[int]:
        """Return the user ids whose files count as our own."""
        return {os.geteuid()} if self._user is None else {os.geteuid(), self._user.pw_uid}

    def arguments(self, parent: int | None) -> dict[str, Any]:
        """Return what subprocess needs; a process with a `parent` quits when that dies."""
        if self._user is None:
            return {"preexec_fn": _becoming(None, parent)}
        if self._in_namespace:
            return {"preexec_fn": _becoming(self._user.pw_uid, parent)}
        ids: dict[str, Any] = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return ids | {"preexec_fn": _becoming(None, parent)}


def _ordinary_user() -> pwd.struct_passwd:
    for name in ORDINARY_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoOrdinaryUserError(
        f"this program does not run as root, and there is no user {' or '.join(ORDINARY_USERS)} here: "
        f"start Pinion as an ordinary user, or give a database of your own"
    )


def _becoming(inside_uid: int | None, parent: int | None) -> Callable[[], None]:
    """Return what a new process does before it becomes PostgreSQL."""
    libc = ctypes.CDLL(None, use_errno=True)

    def become() -> None:
        if inside_uid is not None:
            _enter_namespace(libc, inside_uid)
        if parent is not None:
            # After the change of identity, which would clear it. SIGQUIT: at once, to recover later.
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return become


def _enter_namespace(libc: ctypes.CDLL, inside_uid: int) -> None:
    """Go on in a user namespace in which we, and our files, are `inside_uid`."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (
        ("uid_map", f"{inside_uid} {user} 1"),
        ("setgroups", "deny"),
        ("gid_map", f"{inside_uid} {group} 1"),
    ):
        # os.open: until the map is written we may own no new file, which open() would ask for.
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def _may_make_namespaces(inside_uid: int) -> bool:
    try:
        probe = subprocess.run(["/bin/true"], check=False, preexec_fn=_becoming(inside_uid, None))
    except (OSError, subprocess.SubprocessError):
        return False
    return probe.returncode == 0
