"""What a capture's folder holds: pairs of request and reply as chained lines, and what they are pairs of.

    capture.json           to which service, since when, under which key; once it has ended how many
    records-000001.jsonl   a JSON object a line, in the order in which the requests arrived
    records-000002.jsonl   a new file every 2^26 bytes

`n` numbers the pairs that were kept, from 1 without gaps. Where pairs are missing, which the disk did not
take, a line {"n", "dropped", "prev"} says how many are missing just before the pair `n`. Each line carries
the digest of the line before, whichever file that is in. A last line without its end is what a
killed capture leaves: it is none.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
from blake3 import blake3
from msgspec import Meta

from engine.contract.errors import ToldError, reason_of

VERSION = 1
ABOUT = "capture.json"
FILE_BYTES = 1 << 26
"""A file that has so many is followed by another one."""
LINK_BYTES = 16
FIRST = "0" * (2 * LINK_BYTES)
"""What the first line has as the digest of the line before."""
MEND = "take the folder from where it was captured again, or capture once more"
_DROPPED = re.compile(rb'\{"n":[0-9]+,"dropped":').match

Whole = Annotated[int, Meta(ge=0)]
Number = Annotated[int, Meta(ge=1)]
Body = str | dict[str, str]
"""A text, or {"base64": text} for what is no UTF-8."""


class CaptureError(ToldError):
    """A capture cannot be read, or made; the text names the file, the line where there is one, the mend."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request and what was answered to it."""

    n: Number
    at_ms: Whole
    """When the request had arrived."""
    method: str
    path: str
    """With its query."""
    request: Body
    status: Annotated[int, Meta(ge=100, le=599)] | None
    """None, as `reply`, where the service never answered."""
    reply: Body | None
    headers: dict[str, str]
    """Those of the request that were chosen, in small letters."""
    duration_us: Whole
    prev: str


class Dropped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many pairs are missing just before the pair `n`."""

    n: Number
    dropped: Number
    prev: str


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What capture.json says; the last four once the capture has ended in order."""

    version: int
    to: str
    began_ms: Whole
    fingerprint: str
    """What tells the key of the surrogates from another one."""
    ended_ms: Whole | None = None
    records: Whole | None = None
    dropped: Whole | None = None
    last: str | None = None
    """The digest of the last line."""


_record = msgspec.json.Decoder(Record)
_dropped = msgspec.json.Decoder(Dropped)
_encoder = msgspec.json.Encoder()


def link_of(line: bytes) -> str:
    """Return the digest of a line, without its end."""
    return blake3(line).hexdigest(length=LINK_BYTES)


def line_of(line: Record | Dropped | About) -> bytes:
    """Return a line of a file, without its end."""
    return _encoder.encode(line)


def file_of(folder: Path, number: int) -> Path:
    """Return the file of pairs with this number, counted from 1."""
    return folder / f"records-{number:06}.jsonl"


def files_of(folder: Path) -> list[Path]:
    """Return the files of pairs in order; CaptureError where one is missing."""
    found = sorted(folder.glob("records-*.jsonl"))
    for number in range(1, max(len(found), 1) + 1):
        if file_of(folder, number) not in found:
            raise CaptureError(f"{file_of(folder, number)}: is missing; {MEND}")
    return found


def about(folder: Path) -> About:
    """Return what a folder says of its capture."""
    path = folder / ABOUT
    try:
        said = msgspec.json.decode(path.read_bytes(), type=About)
    except FileNotFoundError as error:
        raise CaptureError(f"{folder}: has no {ABOUT}; name a folder of `pinion payments capture`") from error
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read ({reason_of(error)}); make it readable") from error
    except msgspec.DecodeError as error:
        raise CaptureError(f"{path}: {error}; {MEND}") from error
    if said.version != VERSION:
        raise CaptureError(
            f"{path}: version {said.version}, here {VERSION} is read; read it with the program that wrote it"
        )
    return said


def read(folder: Path) -> Iterator[Record]:
    """Yield the pairs of a capture in order; CaptureError at the first line that is not as it should be."""
    return (line for line in lines(folder) if isinstance(line, Record))


def lines(folder: Path) -> Iterator[Record | Dropped]:
    """Yield pairs, and where some are missing, in order; CaptureError as `read`."""
    said = about(folder)
    chain = Chain()
    paths = files_of(folder)
    for path in paths:
        for number, raw in enumerate(_raw_lines(path), 1):
            if raw.endswith(b"\n"):
                yield chain.followed(path, number, raw[:-1])
            elif path != paths[-1]:
                chain.fail(path, number, "ends in its midst, and another file follows")
    if said.records is not None and (chain.records, chain.dropped, chain.last) != (
        said.records,
        said.dropped,
        said.last,
    ):
        raise CaptureError(
            f"{paths[-1]}: the last lines are missing: there are {chain.records} pairs, and {chain.dropped} "
            f"dropped; {folder / ABOUT} says {said.records} and {said.dropped}; {MEND}"
        )


class Chain:
    """Follows the lines of a capture: the number to come, and the digest of the line before."""

    def __init__(self) -> None:
        self.records = 0
        self.dropped = 0
        self.last = FIRST

    def followed(self, path: Path, number: int, line: bytes) -> Record | Dropped:
        """Return what the next line says; CaptureError where it is none that can come next."""
        try:
            said = _dropped.decode(line) if _DROPPED(line) else _record.decode(line)
        except msgspec.DecodeError as error:
            self.fail(path, number, f"has another form: {error}")
        if said.prev != self.last:
            self.fail(path, number, f"prev is {said.prev}, the line before has the digest {self.last}")
        if said.n != self.records + 1:
            self.fail(path, number, f"n is {said.n}, {self.records + 1} was to come")
        if isinstance(said, Dropped):
            self.dropped += said.dropped
        elif (said.status is None) != (said.reply is None):
            self.fail(path, number, "has one of status and reply; both are null, or none is")
        else:
            self.records += 1
        self.last = link_of(line)
        return said

    def fail(self, path: Path, number: int, what: str) -> NoReturn:
        """Raise the error that names the line."""
        raise CaptureError(f"{path} line {number}: {what}; {MEND}")


def _raw_lines(path: Path) -> Iterator[Any]:
    """Yield the lines of a file with their ends."""
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read ({reason_of(error)}); make it readable") from error
