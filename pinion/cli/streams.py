"""The standard streams of a command: always there, and what fails on them is told by name.

A shell can start a program without one of them (`>&-`). The next file that is opened would get the
free number then, and what is meant for people would end up in it; Python itself has None for the
stream. So each number that is free is opened on /dev/null before anything else is opened.
"""

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

INPUT_FD, OUTPUT_FD, ERROR_FD = 0, 1, 2
OUTPUT_NAME = "standard output"


class NamedFile(io.FileIO):
    """A file to write whose errors name it: an OSError of a bare descriptor does not say what was full."""

    def __init__(self, file: int | str, shown: str, *, closefd: bool = True) -> None:
        super().__init__(file, "wb", closefd=closefd)
        self._shown = shown

    def write(self, content: Any, /) -> int:
        """Write a part; OSError carries the file's name."""
        try:
            return super().write(content)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._shown) from None


class _Diagnostics(io.FileIO):
    """Standard error: what cannot be told is dropped. A full log or a closed terminal stops no engine."""

    def write(self, content: Any, /) -> int:
        with suppress(OSError):  # there is no other place to say so
            super().write(content)
        return len(content)


def open_standard_streams() -> None:
    """Make the three standard streams usable; to be called first, once in the life of a process."""
    for descriptor in (INPUT_FD, OUTPUT_FD, ERROR_FD):
        _fill(descriptor)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(INPUT_FD, closefd=False)), encoding="utf-8")
    output = NamedFile(OUTPUT_FD, OUTPUT_NAME, closefd=False)
    sys.stdout = _text(output, sys.stdout, "strict")
    sys.stderr = _text(_Diagnostics(ERROR_FD, "wb", closefd=False), sys.stderr, "backslashreplace")


def drop_unwritten() -> None:
    """Throw away what standard output did not take: the interpreter would fail on it once more at the end."""
    try:
        sys.stdout.flush()
    except OSError:  # told where it was written
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, OUTPUT_FD)
        os.close(null)
        sys.stdout.flush()


def _fill(descriptor: int) -> None:
    """Open /dev/null under this number where it is free; those below it are taken."""
    try:
        os.fstat(descriptor)
    except OSError:
        assert os.open(os.devnull, os.O_RDWR) == descriptor
        os.set_inheritable(descriptor, True)


def _text(file: io.FileIO, before: TextIO | None, errors: str) -> io.TextIOWrapper:
    """Return the text stream over a file, set up like the one that Python made."""
    is_eager = file.isatty() or bool(os.environ.get("PYTHONUNBUFFERED")) or file.fileno() == ERROR_FD
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=before.encoding if before is not None else "utf-8",
        errors=before.errors if before is not None else errors,
        line_buffering=is_eager,
    )
