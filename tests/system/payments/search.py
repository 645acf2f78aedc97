"""Where secrets lie: looked for in every byte of files, in every form that a program may give them.

Most of what an instance has is room that nobody has written to, so holes and pages of zeros are passed over.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import numpy as np

PAGE_BYTES = 4096
PIECE_BYTES = 4096 * PAGE_BYTES
ZEROS = bytes(PAGE_BYTES)
"""What stands for any room that was passed over: no secret has so many zeros."""


def forms_of(secret: str) -> set[bytes]:
    """Return the bytes as which a secret may lie somewhere: its text, and the number that it is."""
    forms = {secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be")}
    number = _number_of(secret)
    if 0 < number < 2**64:
        forms |= {number.to_bytes(8, "little"), number.to_bytes(8, "big")}
    return forms


def _number_of(secret: str) -> int:
    """Return the number that digits, or an address, are; 0 for anything else."""
    if secret.isdigit():
        return int(secret)
    try:
        return int(ip_address(secret))
    except ValueError:
        return 0


class Search:
    """Looks for secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = {form: secret for secret in secrets for form in forms_of(secret)}
        self.byte_count = 0
        """Bytes that were looked at."""

    def in_bytes(self, content: bytes, where: str) -> list[str]:
        """Return what lies in some bytes, each as a sentence."""
        self.byte_count += len(content)
        found = [form for form in self._secrets if form in content]
        return [f"{where}: {self._secrets[form]!r} lies there as {form!r}" for form in found]

    def in_file(self, path: Path) -> list[str]:
        """Return what lies in a file, or in its name."""
        return self.in_bytes(os.fsencode(path.name) + ZEROS + content_of(path), str(path))

    def in_folder(self, folder: Path) -> list[str]:
        """Return what lies in all files below a folder, and in their names."""
        found = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            with suppress(FileNotFoundError):  # a database that runs removes some of its files
                found += self.in_file(path)
        return found


def content_of(path: Path) -> bytes:
    """Return the pages of a file that are no zeros, in their order; one page of zeros stands for many."""
    parts: list[bytes] = []
    with path.open("rb") as file:
        for piece in _pieces(file.fileno()):
            whole = piece.ljust(-(-len(piece) // PAGE_BYTES) * PAGE_BYTES, b"\0")
            pages = np.frombuffer(whole, np.uint8).reshape(-1, PAGE_BYTES)
            for page in pages:
                if page.any():
                    parts.append(page.tobytes())
                elif parts and parts[-1] is not ZEROS:
                    parts.append(ZEROS)
    return b"".join(parts)


def _pieces(file: int) -> Iterator[bytes]:
    """Yield what is no hole in a file; reading a hole of shared memory by a mapping would fill it."""
    at = 0
    while True:
        try:
            at = os.lseek(file, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # no data behind here
                return
            raise
        end = os.lseek(file, at, os.SEEK_HOLE)
        while at < end and (piece := os.pread(file, min(PIECE_BYTES, end - at), at)):
            yield piece
            at += len(piece)
