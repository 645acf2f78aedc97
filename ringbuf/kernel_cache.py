"""Compiled kernels are kept in a folder named after a hash of their sources.

numba's own cache looks at the file of a kernel alone: an edit in another file that
the kernel calls or inlines goes unnoticed (numba issue 1833). So every state of our
kernel sources has a folder of its own. Called once, when the packages are imported,
because numba fixes a kernel's cache folder when it is decorated.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numba
from numba.core import config as untyped_config

config: Any = untyped_config

ROOT = Path(__file__).resolve().parent.parent
KERNEL_FOLDERS = ("ringbuf", "engine")
MARKS = (b"njit", b"@kernel", b"np.dtype(", b"IntEnum")
"""A file that holds one of these decides what the kernels compile to."""


def kernel_sources() -> list[Path]:
    """Return the files that decide what the kernels compile to, in a fixed order."""
    files = [path for folder in KERNEL_FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in files if any(mark in path.read_bytes() for mark in MARKS))


def source_hash() -> str:
    """Return a hash of the kernel sources, the compiler's version and its bounds checking.

    numba's cache does not tell code with bounds checks from code without.
    """
    compiler = f"{numba.__version__} {bool(config.BOUNDSCHECK)}"
    digest = hashlib.blake2b(compiler.encode(), digest_size=8)
    for path in kernel_sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def cache_folder() -> Path:
    """Return the folder of this state of the sources, below $NUMBA_CACHE_DIR or the user's cache."""
    base = os.environ.get("PINION_KERNEL_CACHE") or os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base or os.path.join(home, "pinion", "kernels")) / source_hash()


def use_source_keyed_cache() -> None:
    """Point numba at the folder of this state of the sources."""
    config.CACHE_DIR = str(cache_folder())
