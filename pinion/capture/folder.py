"""A capture's folder and the key of its surrogates: for their owner alone, and never written over."""

import os
import secrets
import stat
from pathlib import Path

from engine.contract.errors import reason_of
from pinion.capture.records import CaptureError
from pinion.capture.surrogates import KEY_BYTES

KEY_FILE = "surrogate.key"


def prepare(folder: Path) -> None:
    """Make a folder for a new capture; one that is there must be empty, but for a key."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
        held = sorted(each.name for each in folder.iterdir() if each.name != KEY_FILE)
    except OSError as error:
        raise CaptureError(
            f"{folder}: cannot be made or read ({reason_of(error)}); name another one"
        ) from error
    if held:
        raise CaptureError(f"{folder}: holds {held[0]!r} already; name a new folder, nothing is written over")
    if mode & 0o077:
        raise CaptureError(
            f"{folder}: others than its owner may read or change it (mode {mode & 0o777:03o}); chmod 700 it"
        )


def load_key(path: Path) -> bytes:
    """Return the key that a file holds; it is made where there is none yet."""
    try:
        if not path.exists():
            _make(path)
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise CaptureError(
            f"{path}: the key of the surrogates cannot be read or made ({reason_of(error)}); "
            f"name another file with --key-file"
        ) from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise CaptureError(
            f"{path}: others than its owner may read or change the key of the surrogates "
            f"(mode {mode & 0o777:03o}); chmod 600 it"
        )
    if len(key) != KEY_BYTES:
        raise CaptureError(
            f"{path}: a key of surrogates has {KEY_BYTES} bytes, this file "
            f"{'more' if len(key) > KEY_BYTES else len(key)}; name the one that another capture made"
        )
    return key


def _make(path: Path) -> None:
    """Make a file with a new key."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
