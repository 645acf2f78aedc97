"""What history asks of an application: a schema, and rows for every batch of commands.

The runtime writes rows into PostgreSQL without knowing what they mean; the application makes
them without knowing that there is a database. What they share is this file: the protocol
between them and the format of binary COPY, built a whole column at a time:

    signature, flags | count len value len value ... | count len value ... | -1
                       one row, every row of a layout alike

Values are big-endian. A layout has fixed widths, so its rows are one numpy array, out of which what
texts leave of their widths is cut; any other column that is null, or of another length, in some rows
makes those rows a layout of their own, and a table is copied from the rows of all of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NULL_LENGTH = -1
WIDTHS = {"int8": ">i8", "int4": ">i4", "int2": ">i2", "bool": "i1"}
"""Column kinds of fixed width; beside them `null`, `bytes:N` (bytea or text of N bytes) and `text:N`.

A `text:N` has up to N bytes, in each row its own number of them, and is null where it has none.
"""
OF_BYTES, OF_TEXT = "bytes:", "text:"

Columns = Mapping[str, Any]
"""Column -> its values, an array or one value for all rows."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table as a binary COPY stream."""

    table: str
    columns: tuple[str, ...]
    count: int
    stream: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that the commands first_seq .. last_seq add to history.

    `rows` are copied in order, then `merges` are executed: SQL that folds staging tables,
    which live in the session, into the lasting ones. `eng_ts` is that of the last command.
    """

    first_seq: int
    last_seq: int
    eng_ts: int
    rows: tuple[Rows, ...]
    merges: tuple[str, ...] = ()


class Projection(Protocol):
    """An application's history. Not for use from several threads at once."""

    @property
    def migrations(self) -> Sequence[str]:
        """SQL of every version of the schema, in order; version N is the first N of them."""

    @property
    def session(self) -> Sequence[str]:
        """SQL that every connection needs once, such as staging tables."""

    def open(self, state: Any) -> None:
        """Start behind the last projected command: `state` is the application's then."""

    def looks(self, entries: Any) -> Sequence[int]:
        """Return the places of entries behind which it wants to see the state, in order.

        entries : the next to be applied. The places must follow from the journal alone.
        """

    def look(self, entry: Any, state: Any) -> None:
        """See the application's state right behind an entry that `looks` named; its batch comes later."""

    def batch(self, entries: Any, events: Any, state: Any) -> Batch:
        """Turn one batch into rows.

        entries : the journal's records of them, dense in seq, the first right behind the last batch
        events  : exactly those of these commands
        state   : the application's state after them
        """


class WithoutLooks:
    """A projection whose rows follow from the events and the state behind each batch."""

    def looks(self, entries: Any) -> Sequence[int]:
        """Return no place."""
        return ()

    def look(self, entry: Any, state: Any) -> None:
        """Nothing is asked for."""


class RowLayout:
    """The columns of a table as rows of one length, but for what texts leave of theirs."""

    def __init__(self, **kinds: str) -> None:
        fields: list[tuple[str, Any]] = [("#", ">i2")]
        lengths: dict[str, int] = {}
        for name, kind in kinds.items():
            width = _width_of(kind)
            fields.append((f"#{name}", ">i4"))
            lengths[f"#{name}"] = NULL_LENGTH if width is None else np.zeros(0, width).itemsize
            if width is not None:
                fields.append((name, width))
        self.columns = tuple(kinds)
        self._texts = tuple(name for name, kind in kinds.items() if kind.startswith(OF_TEXT))
        self._blank: npt.NDArray[Any] = np.zeros(1, fields)
        self._blank["#"] = len(kinds)
        for name, length in lengths.items():
            self._blank[name] = length

    def pack(self, count: int, values: Columns) -> bytes:
        """Return `count` rows; every column that is not null needs its values."""
        rows = np.repeat(self._blank, count)
        for name in rows.dtype.names or ():
            if not name.startswith("#"):
                rows[name] = values[name]
        return self._without_padding(rows) if self._texts else rows.tobytes()

    def _without_padding(self, rows: npt.NDArray[Any]) -> bytes:
        """Return rows in which every text ends with its last byte."""
        is_kept = np.ones((len(rows), rows.itemsize), bool)
        fields = rows.dtype.fields
        assert fields is not None
        for name in self._texts:
            lengths = np.char.str_len(rows[name])
            rows[f"#{name}"] = np.where(lengths == 0, NULL_LENGTH, lengths)
            begin, width = fields[name][1], fields[name][0].itemsize
            is_kept[:, begin : begin + width] = np.arange(width) < lengths[:, None]
        return rows.view(np.uint8).reshape(is_kept.shape)[is_kept].tobytes()


def _width_of(kind: str) -> str | None:
    """Return how numpy calls the values of a kind, None for those that are null."""
    for prefix in (OF_BYTES, OF_TEXT):
        if kind.startswith(prefix):
            return f"S{kind.removeprefix(prefix)}"
    return WIDTHS.get(kind)


def rows_of(table: str, columns: tuple[str, ...], count: int, parts: Iterable[bytes]) -> Rows:
    """Return packed rows as a stream."""
    return Rows(table, columns, count, b"".join((SIGNATURE, *parts, TRAILER)))


def packed_values(values: Sequence[bytes | int | None], kinds: Sequence[str]) -> bytes:
    """Return one row of any mixture: for the few rows that tables of names have."""
    parts = [len(values).to_bytes(2, "big")]
    for value, kind in zip(values, kinds, strict=True):
        if value is None:
            parts.append(NULL_LENGTH.to_bytes(4, "big", signed=True))
            continue
        if isinstance(value, int):
            value = value.to_bytes(np.zeros(0, WIDTHS[kind]).itemsize, "big", signed=True)
        parts += [len(value).to_bytes(4, "big"), value]
    return b"".join(parts)
