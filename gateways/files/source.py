"""Sources of input: file or standard input, plain or compressed, and in which format.

The format is told by the first bytes, so that `-` works like a file; by the name only where
there are none.
Everything is streamed: a file never has to fit into memory.
"""

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from stat import S_ISREG
from types import TracebackType
from typing import BinaryIO, Self

from engine.contract.errors import ToldError, reason_of
from gateways.files.compression import (
    MAGIC_BYTES,
    BrokenFrame,
    Compression,
    compression_of,
    how_to_unpack,
    unpacked,
)

CHUNK_BYTES = 1 << 18
DBN_MAGIC = b"DBN"
COMPRESSED_SUFFIXES = frozenset({".zst", ".gz"})
STANDARD_INPUT = "-"


class InputError(ToldError):
    """An input that cannot be read: file, line or byte offset, field, reason and mend."""

    def __init__(self, source: str, place: str, field: str, reason: str) -> None:
        super().__init__(f"{source}: {place}: {field}: {reason}")
        self.source = source
        self.place = place
        self.field = field
        self.reason = reason


class NoInputError(ToldError):
    """An input that is not there or cannot be opened."""


def empty_input(source: str, offset: int, messages: str) -> InputError:
    """Return the error of market data that ends without a message to play."""
    reason = f"the file holds no messages {messages}: is it the right file?"
    return InputError(source, f"byte {offset}", "INPUT", reason)


class Format(Enum):
    """What an input holds."""

    JSON_LINES = "JSON lines"
    DBN = "Databento DBN"
    ITCH = "Nasdaq ITCH 5.0"


class Source:
    """An opened input: its name, its format and its decompressed bytes in chunks.

    `position` counts the raw bytes read so far, for progress; `size` is None where nobody knows it.
    """

    def __init__(self, name: str) -> None:
        self.name = "standard input" if name == STANDARD_INPUT else name
        self.position = 0
        self.line_number = 0  # of the line that `lines` gave last
        self.size: int | None = None
        self._raw: BinaryIO = self._open(name)
        try:
            head = self._read()
            if not head:
                self._refuse_empty(name)
            compression = compression_of(head)
            plain = self._plain(head)
            self._chunks = plain if compression is None else self._unpacked(compression, plain)
            self._head = self._first_bytes(is_unpacked=compression is not None)
        except InputError:
            self.close()
            raise
        self.format = _format_of(self._head) if self._head else _format_of_name(name)

    def _open(self, name: str) -> BinaryIO:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer
        path = Path(name)
        if path.is_dir():
            raise NoInputError(f"{name}: is a folder: give a file, or - for standard input")
        try:
            status = path.stat()
            # A pipe or a device has a size of 0, which says nothing about what will come.
            self.size = status.st_size if S_ISREG(status.st_mode) else None
            return path.open("rb")
        except OSError as fault:
            raise NoInputError(f"{name}: {reason_of(fault)}: give the file to be read") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def chunks(self) -> Iterator[bytes]:
        """Return the decompressed bytes."""
        yield self._head
        yield from self._chunks

    def lines(self) -> Iterator[bytes]:
        """Return the decompressed bytes, split at line ends."""
        rest = b""
        for chunk in self.chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                self.line_number += 1
                yield line
        if rest:
            self.line_number += 1
            yield rest

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._raw is not sys.stdin.buffer:
            self._raw.close()

    def _refuse_empty(self, name: str) -> None:
        """Refuse a compressed file of no byte; of market data its reader says more."""
        is_compressed = Path(name).suffix.lower() in COMPRESSED_SUFFIXES
        if is_compressed and _format_of_name(name) is Format.JSON_LINES:
            raise InputError(
                self.name,
                "byte 0",
                "INPUT",
                "is empty, and even compressed nothing has bytes: is it the right file?",
            )

    def _plain(self, head: bytes) -> Iterator[bytes]:
        yield head
        while chunk := self._read():
            yield chunk

    def _read(self) -> bytes:
        try:
            chunk = self._raw.read(CHUNK_BYTES)
        except OSError as fault:
            place, reason = f"byte {self.position}", fault.strerror or str(fault)
            raise InputError(self.name, place, "INPUT", f"cannot be read on: {reason}") from None
        self.position += len(chunk)
        return chunk

    def _unpacked(self, compression: Compression, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from unpacked(compression, chunks)
        except BrokenFrame as fault:
            place = f"compressed byte {fault.offset} (byte {fault.produced} decompressed)"
            raise InputError(self.name, place, compression.value, str(fault)) from None

    def _first_bytes(self, *, is_unpacked: bool) -> bytes:
        """Return enough of the contents to tell the format; refuse what has to be unpacked first."""
        head = b""
        for chunk in self._chunks:
            head += chunk
            if len(head) >= MAGIC_BYTES:
                break
        mend = how_to_unpack(head)
        if mend is None and is_unpacked and compression_of(head) is not None:
            mend = "is compressed twice: unpack it once first"
        if mend is not None:
            raise InputError(self.name, "byte 0", "INPUT", mend)
        return head


def _format_of(head: bytes) -> Format:
    """Tell the format by the first bytes: ITCH alone starts with a zero or small length byte."""
    if head[:3] == DBN_MAGIC:
        return Format.DBN
    if len(head) >= 3 and head[0] == 0 and head[1] >= 12 and chr(head[2]).isalpha():
        return Format.ITCH
    return Format.JSON_LINES


def _format_of_name(name: str) -> Format:
    """Tell what an empty input was meant to be, so that no empty market data passes for played."""
    file_name = Path(name).name.lower()
    for word, meant in (("dbn", Format.DBN), ("itch", Format.ITCH)):
        if word in file_name:
            return meant
    return Format.JSON_LINES
