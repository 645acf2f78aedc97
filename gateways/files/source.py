"""Where an input comes from and what it is: file or standard input, plain or zstd, which format.

The format is told by the first bytes, so that `-` works like a file; by the name only where
there are none.
Everything is streamed: a file never has to fit into memory.
"""

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import zstandard

CHUNK_BYTES = 1 << 18
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
DBN_MAGIC = b"DBN"
STANDARD_INPUT = "-"


class InputError(Exception):
    """An input that cannot be read: file, line or byte offset, field, reason and mend."""

    def __init__(self, source: str, place: str, field: str, reason: str) -> None:
        super().__init__(f"{source}: {place}: {field}: {reason}")
        self.source = source
        self.place = place
        self.field = field
        self.reason = reason


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
        head = self._raw.read(CHUNK_BYTES)
        self.position = len(head)
        self._is_compressed = head[:4] == ZSTD_MAGIC
        self._chunks = self._decompressed(head) if self._is_compressed else self._plain(head)
        try:
            self._head = next(self._chunks, b"")
        except InputError:
            self.close()
            raise
        self.format = _format_of(self._head) if self._head else _format_of_name(name)

    def _open(self, name: str) -> BinaryIO:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer
        path = Path(name)
        if path.is_dir():
            raise InputError(
                name, "folder", "INPUT", "is a folder; a journal cannot be replayed yet, give a file or -"
            )
        try:
            self.size = path.stat().st_size
            return path.open("rb")
        except OSError as fault:
            raise InputError(name, "open", "INPUT", fault.strerror or str(fault)) from None

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

    def _plain(self, head: bytes) -> Iterator[bytes]:
        yield head
        while chunk := self._read():
            yield chunk

    def _read(self) -> bytes:
        chunk = self._raw.read(CHUNK_BYTES)
        self.position += len(chunk)
        return chunk

    def _decompressed(self, head: bytes) -> Iterator[bytes]:
        """Return what is in the zstd frames; a frame that ends early or is damaged is an error."""
        frame = zstandard.ZstdDecompressor().decompressobj()
        pending = head
        produced = 0
        while pending or (pending := self._read()):
            if frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()
            try:
                plain = frame.decompress(pending)
            except zstandard.ZstdError as fault:
                place = f"compressed byte {self.position - len(pending)} or later"
                raise InputError(self.name, place, "zstd frame", f"damaged: {fault}") from None
            pending = frame.unused_data if frame.eof else b""
            produced += len(plain)
            if plain:
                yield plain
        if not frame.eof:
            place = f"compressed byte {self.position} (byte {produced} decompressed)"
            raise InputError(self.name, place, "zstd frame", "the file ends within it: it is truncated")


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
