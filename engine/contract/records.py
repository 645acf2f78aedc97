"""What every application's records have in common, whatever else stands in them.

An application has two record types of its own: commands go in, events come out. Runtime, ports and
doors know the fields below, each found by its name; only an event's first two words have fixed
places, because its slots begin with a stamp and a gate (engine/contract/spread.py). The journal keeps
a command behind ENTRY_HEAD.

    command  op, version, roles, session, req_seq, gw_ts, value
    event    event_idx (word 0), seq (word 1), eng_ts, kind, op, flags, ring, session, req_seq
             and `*_ring`: further rings whose doors hear of it, -1 for none

A state is found by its names too where an earlier version laid it out in another way: `copy_by_name`.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import numpy as np

from engine.contract.errors import ToldError
from ringbuf.layout import GATE_WORD, STAMP_WORD, WORD_BYTES

COMMAND_FIELDS = ("op", "version", "roles", "session", "req_seq", "gw_ts", "value")
EVENT_FIELDS = ("event_idx", "seq", "eng_ts", "kind", "op", "flags", "ring", "session", "req_seq")
COMMAND_BYTES_MIN = 128
"""Less would leave a journal's own heads no room in a slot; more comes in whole cache lines."""
LINE_BYTES = 64
PAD = "pad"
"""Fields whose names begin so mean nothing."""
ROLES_ALL = 7
"""Every bit of `roles`, which the instance's own commands carry: 1 the application's users, 2 its operators,
4 who may only read. An application names the bits, as trading does (`Role` of engine/trading/records.py)."""


class LayoutError(ToldError):
    """A record of one layout cannot be brought into another; the text names the field."""


class Operation(IntEnum):
    """What the runtime itself asks of an application; other numbers are the application's."""

    TICK = 1  # time passes
    SESSION_DOWN = 6  # `session` has ended, or every session of ring `value`
    QUARANTINED = 7  # stands in for a command that killed the worker


def require_fields(command: np.dtype[Any], event: np.dtype[Any]) -> None:
    """Raise ValueError where an application's records lack what everybody relies on."""
    for what, dtype, names in (("a command", command, COMMAND_FIELDS), ("an event", event, EVENT_FIELDS)):
        missing = [name for name in names if name not in (dtype.names or ())]
        if missing:
            raise ValueError(f"{what} has no field {', '.join(missing)}; see engine/contract/records.py")
        if dtype.itemsize % LINE_BYTES:
            raise ValueError(f"{what} has {dtype.itemsize} bytes; pad it to a multiple of {LINE_BYTES}")
    if command.itemsize < COMMAND_BYTES_MIN:
        raise ValueError(f"a command has {command.itemsize} bytes; pad it to {COMMAND_BYTES_MIN} at least")
    for name, word in (("event_idx", STAMP_WORD), ("seq", GATE_WORD)):
        if word_of(event, name) != word:
            raise ValueError(f"an event's {name} is word {word_of(event, name)}; make it word {word}")


def word_of(dtype: np.dtype[Any], name: str) -> int:
    """Return which word of a record a field begins."""
    assert dtype.fields is not None
    offset_bytes = dtype.fields[name][1]
    assert offset_bytes % WORD_BYTES == 0
    return offset_bytes // WORD_BYTES


def entry_dtype(command: np.dtype[Any]) -> np.dtype[Any]:
    """Return a command as it was sequenced: all that a replay needs."""
    return np.dtype(
        [("seq", "<i8"), ("eng_ts", "<i8"), ("ring", "<i8"), ("ring_seq", "<i8"), ("command", command)]
    )


def ring_offsets(event: np.dtype[Any]) -> tuple[int, ...]:
    """Return at which bytes of an event the rings stand whose doors hear of it."""
    assert event.fields is not None
    named = [name for name in event.fields if name == "ring" or name.endswith("_ring")]
    assert all(event.fields[name][0] == np.int8 for name in named)
    return tuple(event.fields[name][1] for name in named)


def copy_by_name(old: Any, new: Any, left_out: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Copy what both have; return the fields that `new` alone has, each as `hot.rev`.

    old, new : arrays of records, of one shape; of their fields, arrays are filled as far as both reach
    left_out : fields of the records themselves that are neither copied nor told
    Raises LayoutError where a value does not fit.
    """
    return tuple(_copied(old, new, "", left_out))


def _copied(old: Any, new: Any, within: str, left_out: tuple[str, ...] = ()) -> Iterator[str]:
    """Copy; yield the fields that `new` alone has. within : the name of this record, with a dot behind it."""
    for name in new.dtype.names:
        if name.startswith(PAD) or name in left_out:
            continue
        if name not in old.dtype.names:
            yield f"{within}{name}"
            continue
        source, target = old[name], new[name]
        is_record = target.dtype.names is not None
        if source.ndim != target.ndim or is_record != (source.dtype.names is not None):
            raise LayoutError(f"{within}{name}: {source.dtype} became {target.dtype}, which no name explains")
        shared = tuple(slice(min(pair)) for pair in zip(source.shape, target.shape, strict=True))
        source, target = source[shared], target[shared]
        if is_record and source.dtype != target.dtype:
            yield from _copied(source, target, f"{within}{name}.")
            continue
        target[...] = source
        if source.dtype != target.dtype and not np.array_equal(source, target):
            raise LayoutError(f"{within}{name}: holds a value that {target.dtype} does not")
