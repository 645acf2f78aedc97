"""Huge pages for shared memory: asked of the kernel where they cost nothing, and counted; asking never fails.

A processor finds 2 MiB through one entry of its table instead of 512, so what is read at random misses
that table less. The kernel makes a huge page of a shared mapping that lies at a multiple of 2 MiB:

    at the first touch    where the mount allows it: huge=advise or more
    of what is there      by MADV_COLLAPSE, since Linux 6.1, whatever the mount allows

The second costs memory where some of the 512 pages were never touched, so it is asked for memory that
was taken whole. A kernel that knows or allows none of this leaves the pages as they are.
"""

import ctypes
import mmap
from pathlib import Path

import numpy as np
import numpy.typing as npt

HUGE_BYTES = 2 * 1024 * 1024
KIB = 1024
MADV_HUGEPAGE = 14
MADV_COLLAPSE = 25
MAP_FIXED = 0x10
MAP_NORESERVE = 0x4000
FAILED = ctypes.c_void_p(-1).value
PATH_AT = 5
"""Field of a mapping's first line in smaps that names its file."""

Bytes = npt.NDArray[np.uint8]


def mapped(file: int, size_bytes: int, *, readonly: bool, populate: bool) -> Bytes:
    """Map a file of shared memory and return its bytes; the mapping lasts as long as any view of them.

    From HUGE_BYTES on it lies at a multiple of these, and the kernel is asked for huge pages. With
    `populate` all pages are mapped now, which takes them where they are not there yet.
    """
    flags = mmap.MAP_SHARED | (mmap.MAP_POPULATE if populate else 0)
    prot = mmap.PROT_READ | (0 if readonly else mmap.PROT_WRITE)
    found = _aligned(file, size_bytes, flags, prot) if size_bytes >= HUGE_BYTES else None
    if found is None:
        return np.frombuffer(mmap.mmap(file, size_bytes, flags=flags, prot=prot), np.uint8)
    advise = ctypes.CDLL(None).madvise
    address, size = ctypes.c_void_p(found.ctypes.data), ctypes.c_size_t(size_bytes)
    advise(address, size, MADV_HUGEPAGE)
    if populate:
        advise(address, size, MADV_COLLAPSE)
    return found


def _aligned(file: int, size_bytes: int, flags: int, prot: int) -> Bytes | None:
    """Map a file at a multiple of HUGE_BYTES, or return None where that cannot be had.

    It is laid over a part of a larger private mapping, which is never touched: Python knows only that
    one, and takes both away when no array needs it any more.
    """
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    try:
        place = np.frombuffer(mmap.mmap(-1, size_bytes + HUGE_BYTES, flags=private, prot=prot), np.uint8)
    except OSError:
        return None
    first = -place.ctypes.data % HUGE_BYTES
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    at = ctypes.c_void_p(place.ctypes.data + first)
    size, offset = ctypes.c_size_t(size_bytes), ctypes.c_long(0)
    if libc.mmap(at, size, prot, flags | MAP_FIXED, file, offset) == FAILED:
        return None
    return place[first : first + size_bytes]


def huge_bytes(pid: int, names: list[str]) -> tuple[int, int] | None:
    """Return how many bytes of these segments a process has mapped, and how many of them in huge pages.

    None where it cannot be told: the process has ended, or is another user's.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps").read_text().splitlines()
    except OSError:
        return None
    resident = huge = 0
    is_ours = False
    for line in lines:
        first, *rest = line.split(maxsplit=PATH_AT)
        if not first.endswith(":"):
            path = rest[PATH_AT - 1] if len(rest) == PATH_AT else ""
            # A segment is mapped under its draft's name, which begins with its own (segment.py).
            is_ours = Path(path).name.partition(".")[0] in names
        elif is_ours and first == "Rss:":
            resident += int(rest[0]) * KIB
        elif is_ours and first == "ShmemPmdMapped:":
            huge += int(rest[0]) * KIB
    return resident, huge
