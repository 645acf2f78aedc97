"""How an event lies in slots of 128 bytes: one holds what most events need, further ones the rest.

    word           first slot                                      further slots
    0  stamp       position of the slot among all slots            the same
    1  seq         of the command: what the gate is compared with  the same
    2  mark        event_idx << 8 | form << 4 | number of slots    as the form says
    3 to 15        as the form says                                as the form says

An application writes slots, and every reader has whole events of one dtype back. A form says for each
word of the event in which word of the slots it lies, or that it is zero, so nothing is computed: a
reader needs the table of the forms and knows no application. An event's slots are written one behind
the other and committed together; the end of what is committed is always the end of an event.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.contract.records import ring_offsets
from ringbuf.layout import GATE_WORD, STAMP_WORD, WORD_BYTES
from ringbuf.njit import njit
from ringbuf.spsc import words_of

SLOT_WORDS = 16
SLOT_BITS = 4
SLOT = np.dtype([("stamp", "<i8"), ("seq", "<i8"), ("words", "<i8", (SLOT_WORDS - 2,))])
MARK_WORD = 2
COUNT_MASK = 15
FORM_BITS = 4
IDX_BITS = 8
"""Of a mark: its lowest bits count the slots; above FORM_BITS stands the form, above IDX_BITS event_idx."""
SLOTS_MAX = 3
"""An event takes no more slots: who asks for one event has to look at so many."""
FIRST_FREE = (MARK_WORD + 1, GATE_WORD + 1)
"""Where a form begins to place words: in the first slot, in a further one."""
ZERO = -1
"""In a table of forms: the word lies nowhere, it is zero."""

assert 1 << SLOT_BITS == SLOT_WORDS
assert SLOT.itemsize == SLOT_WORDS * WORD_BYTES

Words = npt.NDArray[np.int64]


class Form(NamedTuple):
    """One way in which events lie in slots.

    slots : of each slot the fields of the event that follow the words with fixed places, in order; a
        field stands for all that share its word, one of several words for all of these
    same : field -> another one of the same value, in whose place it lies; `seq` may be one
    """

    slots: tuple[tuple[str, ...], ...]
    same: Mapping[str, str] = {}


class Spread:
    """An application's events: their dtype, and the forms in which they lie in slots.

    sources : int64[forms, words of an event], slot << SLOT_BITS | word of it, or ZERO
    """

    def __init__(self, event_dtype: np.dtype[Any], forms: Sequence[Form]) -> None:
        self.event_dtype = event_dtype
        self.sources = np.stack([_sources(event_dtype, form) for form in forms])
        self.ring_places = ring_places(event_dtype, self.sources)

    @classmethod
    def of(cls, event_dtype: np.dtype[Any], sources: Sequence[Sequence[int]]) -> "Spread":
        """Return the spread that has this table: what an instance tells its readers."""
        made = cls.__new__(cls)
        made.event_dtype, made.sources = event_dtype, np.array(sources, np.int64)
        made.ring_places = ring_places(event_dtype, made.sources)
        return made

    def events_of(self, slots: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the events that lie in `slots`, whole ones: SLOT[n] or int64[n, SLOT_WORDS]."""
        words = np.ascontiguousarray(slots).view(np.int64).reshape(-1, SLOT_WORDS)
        events = np.empty(len(words), self.event_dtype)
        taken, made = self.widen(words, len(words), events)
        assert taken == len(words), "the last event is not whole"
        return events[:made]

    def widen(
        self, slots: Words, count: int, events: npt.NDArray[Any], limit: int = 2**62, ring_idx: int = -1
    ) -> tuple[int, int]:
        """Write the events in the first `count` slots to `events`; see the kernel."""
        ours = self.sources, ring_idx, self.ring_places, words_of(events)
        taken, made = widen(slots, slots.view(np.int8), count, limit, *ours)
        return int(taken), int(made)


@njit
def widen(
    slots: Words, octets: Any, count: int, limit: int, sources: Words, ring: int, places: Words, events: Words
) -> tuple[int, int]:
    """Write the whole events that lie in slots to `events`; return (slots looked at, events written).

    Parameters
    ----------
    slots, octets : int64[n, SLOT_WORDS] and the same as int8[n, bytes]; an event begins at the first
    count : int64, how many slots to look at; an event that lies beyond them in part is left
    limit : int64, how many events to look at, at most
    sources : int64[forms, words], of a Spread
    ring : int64, write the events alone that concern this ring; below 0: all
    places : int64[m], bytes of a first slot at which a ring stands that the event concerns
    events : int64[k, words], with room for all that are written
    """
    taken = looked = made = 0
    while taken < count and looked < limit:
        mark = slots[taken, MARK_WORD]
        behind = taken + (mark & COUNT_MASK)
        assert behind > taken
        if behind > count:
            break
        is_wanted = ring < 0
        for place in places:
            is_wanted |= octets[taken, place] == ring
        if is_wanted:
            form = (mark >> FORM_BITS) & COUNT_MASK
            for word in range(sources.shape[1]):
                source = sources[form, word]
                value = 0
                if source >= 0:
                    value = slots[taken + (source >> SLOT_BITS), source & (SLOT_WORDS - 1)]
                events[made, word] = value
            events[made, STAMP_WORD] = mark >> IDX_BITS
            made += 1
        taken = behind
        looked += 1
    return taken, made


def ring_places(event_dtype: np.dtype[Any], sources: Words) -> Words:
    """Return at which bytes of a first slot the rings stand whose doors hear of the event."""
    places = []
    for offset_bytes in ring_offsets(event_dtype):
        word, byte = divmod(offset_bytes, WORD_BYTES)
        source = int(sources[0, word])
        if not 0 <= source < SLOT_WORDS or (sources[:, word] != source).any():
            raise ValueError(f"byte {offset_bytes} of an event is a ring: every form puts it in one place")
        places.append(source * WORD_BYTES + byte)
    return np.array(places, np.int64)


def _sources(event_dtype: np.dtype[Any], form: Form) -> Words:
    """Return one row of the table."""
    if not 1 <= len(form.slots) <= SLOTS_MAX:
        raise ValueError(f"an event takes 1 to {SLOTS_MAX} slots, not {len(form.slots)}")
    sources = np.full(event_dtype.itemsize // WORD_BYTES, ZERO, np.int64)
    sources[GATE_WORD] = GATE_WORD
    for slot, names in enumerate(form.slots):
        word = FIRST_FREE[min(slot, 1)]
        for name in names:
            for own in words_of_field(event_dtype, name):
                sources[own] = slot << SLOT_BITS | word
                word += 1
        if word > SLOT_WORDS:
            raise ValueError(f"slot {slot} of a form has {word} words, there is room for {SLOT_WORDS}")
    for name, other in form.same.items():
        sources[words_of_field(event_dtype, name)] = sources[words_of_field(event_dtype, other)]
    return sources


def words_of_field(dtype: np.dtype[Any], name: str) -> list[int]:
    """Return the words of a record that a field stands for."""
    assert dtype.fields is not None
    field, offset_bytes = dtype.fields[name][:2]
    assert offset_bytes % WORD_BYTES == 0, f"{name} begins no word"
    first = offset_bytes // WORD_BYTES
    return list(range(first, first + max(1, field.itemsize // WORD_BYTES)))


def place_in(form: Form, dtype: np.dtype[Any], name: str) -> int:
    """Return the word of its slot in which a form puts a field, for who writes slots."""
    source = _sources(dtype, form)[words_of_field(dtype, name)[0]]
    return int(source) & (SLOT_WORDS - 1)
