"""Compressed inputs: zstd and gzip are unpacked on the way; other kinds are told apart, to be unpacked first.

The kind is told by the first bytes, so that it works from a pipe too. What is read is what
`zstd -d` and `gzip -d` read: frames one behind the other, empty ones, and anywhere between them the
skippable frames of zstd, which hold no data (`pzstd` begins with one). A frame that ends early is an
error: what was cut off must not pass for the whole.
"""

import zlib
from collections.abc import Iterator
from enum import Enum
from typing import Protocol

import zstandard

MAGIC_BYTES = 6
"""First bytes that tell every kind."""
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE_MAGIC = b"\x2a\x4d\x18"
"""Bytes 1 to 3 of a skippable zstd frame; byte 0 is one of SKIPPABLE_FIRST."""
SKIPPABLE_FIRST = range(0x50, 0x60)
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 16 + zlib.MAX_WBITS  # zlib's way to say: with gzip header and checksum
OTHERS = {
    b"BZh": ("bzip2", "bzip2 -dk"),
    b"\xfd7zXZ\x00": ("xz", "xz -dk"),
    b"PK\x03\x04": ("zip", "unzip"),
    b"PK\x05\x06": ("zip", "unzip"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4 -dk"),
    b"7z\xbc\xaf\x27\x1c": ("7-zip", "7z x"),
    b"\x1f\x9d": ("compress (.Z)", "uncompress -k"),
}
"""Magic of kinds that are not unpacked here -> name, and the command that does it."""


class Compression(Enum):
    """A kind of compression that is unpacked on the way; the value says what its pieces are called."""

    ZSTD = "zstd frame"
    GZIP = "gzip member"


class BrokenFrame(Exception):  # noqa: N818 - says what it is
    """A frame that is damaged or ends early; `offset` counts compressed bytes, `produced` unpacked ones."""

    def __init__(self, offset: int, produced: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.produced = produced


class _Frame(Protocol):
    """One frame being unpacked: the part that the objects of zstandard and zlib have in common."""

    def decompress(self, data: bytes, /) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


def compression_of(head: bytes) -> Compression | None:
    """Return the kind that these first bytes begin, None for one that is not unpacked here or none at all."""
    if head.startswith(ZSTD_MAGIC) or (head[1:4] == SKIPPABLE_MAGIC and head[0] in SKIPPABLE_FIRST):
        return Compression.ZSTD
    return Compression.GZIP if head.startswith(GZIP_MAGIC) else None


def how_to_unpack(head: bytes) -> str | None:
    """Return what to do about a kind that is not unpacked here; None where the bytes begin none of them."""
    for magic, (name, command) in OTHERS.items():
        if head.startswith(magic):
            return f"is compressed with {name}, which is not read here: unpack it first ({command} FILE)"
    return None


def unpacked(compression: Compression, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Return what is in the frames, in pieces that are never empty; raise BrokenFrame."""
    frame: _Frame | None = None
    offset = begin = produced = 0
    for chunk in chunks:
        pending = chunk
        while pending:
            if frame is None or frame.eof:
                if compression is Compression.GZIP and frame is not None:
                    # Tapes and block devices fill the file up with zeros; gzip passes over them.
                    padded, pending = len(pending), pending.lstrip(b"\0")
                    offset += padded - len(pending)
                    if not pending:
                        break
                frame, begin = _new_frame(compression), offset
            try:
                piece = frame.decompress(pending)
            except (zstandard.ZstdError, zlib.error) as fault:
                reason = f"damaged; it begins at compressed byte {begin}: {fault}"
                raise BrokenFrame(offset, produced, reason) from None
            left = frame.unused_data if frame.eof else b""
            offset += len(pending) - len(left)
            produced += len(piece)
            pending = left
            if piece:
                yield piece
    if frame is None or not frame.eof:
        reason = f"the file ends within it: it is truncated; it begins at compressed byte {begin}"
        raise BrokenFrame(offset, produced, reason)


def _new_frame(compression: Compression) -> _Frame:
    if compression is Compression.GZIP:
        return zlib.decompressobj(GZIP_WINDOW)
    return zstandard.ZstdDecompressor().decompressobj()
