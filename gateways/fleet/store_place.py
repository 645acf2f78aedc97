"""Where the private store of a data folder listens."""

import hashlib
import os
import tempfile
from pathlib import Path

SOCKET_NAME = "store.sock"
SOCKET_PATH_BYTES_MAX = 107


def socket_path(data_dir: Path) -> Path:
    """Return the path of the socket: beside the data, or a short one where that is too long."""
    path = data_dir.resolve() / SOCKET_NAME
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    name = hashlib.blake2b(os.fsencode(path), digest_size=6).hexdigest()
    return Path(tempfile.gettempdir()) / f"pinion-{name}-{os.getuid()}" / SOCKET_NAME


def private_url(data_dir: Path) -> str:
    """Return the address of the store."""
    return f"unix://{socket_path(data_dir)}"
