"""By what a store tells the instances of a fleet apart, beside the names that they were given.

A name may be given twice, and a data folder may be begun anew: a share of the day belongs to a journal, for
what was paid of it stands there and nowhere else.
"""

import hashlib
import os
import secrets
import socket
from pathlib import Path

from ringbuf.whole_files import write_atomically

ID_BYTES = 16


def owner_of(data_dir: Path) -> str:
    """Return a name of the place of a data folder: one of two that bear one instance's name is refused."""
    place = f"{socket.gethostname()}:{os.path.realpath(data_dir)}"
    return hashlib.blake2b(place.encode(), digest_size=8).hexdigest()


def journal_id(path: Path) -> str:
    """Return the name of a journal that a file beside it holds; it is made where there is none yet."""
    try:
        return path.read_text("ascii")
    except FileNotFoundError:
        made = secrets.token_hex(ID_BYTES)
        write_atomically(path, made.encode(), sync=True)
        return made
