"""Events lie in slots in the forms of their application, and come back whole or not at all."""

from typing import Any

import numpy as np
import pytest

from engine.contract.instance import dtype_of, fields_of
from engine.contract.spread import (
    COUNT_MASK,
    FORM_BITS,
    IDX_BITS,
    MARK_WORD,
    SLOT_BITS,
    SLOT_WORDS,
    SLOTS_MAX,
    Form,
    Spread,
)
from engine.trading.event_forms import SPREAD, TRADE_OF_TEXTS
from ringbuf.layout import GATE_WORD, STAMP_WORD
from ringbuf.spsc import words_of
from tests.engine.runtime import echo

SPREADS = pytest.mark.parametrize("spread", [SPREAD, echo.SPREAD], ids=["trading", "echo"])
EVENTS = 40
FIRST_IDX = 1000


def slot_count(sources: Any) -> int:
    """Return how many slots a form takes."""
    return int(sources.max() >> SLOT_BITS) + 1


def laid(spread: Spread, seed: int) -> tuple[Any, Any]:
    """Return events of every form, filled at random, and the slots in which they lie."""
    random = np.random.default_rng(seed)
    events, slots = np.zeros(EVENTS, spread.event_dtype), []
    for idx, words in enumerate(words_of(events)):
        form = idx % len(spread.sources)
        sources = spread.sources[form]
        own = random.integers(0, 2**62, (slot_count(sources), SLOT_WORDS))
        own[:, GATE_WORD] = idx
        words[:] = np.where(sources < 0, 0, own.reshape(-1)[sources])
        words[STAMP_WORD] = FIRST_IDX + idx
        own[0, MARK_WORD] = (FIRST_IDX + idx) << IDX_BITS | form << FORM_BITS | len(own)
        slots.append(own)
    return events, np.concatenate(slots)


@SPREADS
@pytest.mark.parametrize("seed", range(3))
def test_events_of_every_form_come_back(spread: Spread, seed: int) -> None:
    events, slots = laid(spread, seed)

    assert spread.events_of(slots).tobytes() == events.tobytes()


@SPREADS
def test_a_reader_knows_the_forms_from_what_an_instance_tells(spread: Spread) -> None:
    events, slots = laid(spread, 1)

    told = Spread.of(dtype_of(fields_of(spread.event_dtype)), spread.sources.tolist())

    assert told.events_of(slots).tobytes() == events.tobytes()


@SPREADS
def test_an_event_that_is_there_in_part_is_left(spread: Spread) -> None:
    events, slots = laid(spread, 2)
    found = np.zeros(EVENTS, spread.event_dtype)
    behind = np.cumsum([int(slots[at, MARK_WORD]) & COUNT_MASK for at in firsts(slots)])

    for count in range(len(slots) + 1):
        taken, made = spread.widen(slots, count, found)

        assert made == int((behind <= count).sum())
        assert taken == (behind[made - 1] if made else 0)
        assert found[:made].tobytes() == events[:made].tobytes()


@SPREADS
def test_no_more_events_are_looked_at_than_asked_for(spread: Spread) -> None:
    events, slots = laid(spread, 3)
    found = np.zeros(EVENTS, spread.event_dtype)

    taken, made = spread.widen(slots, len(slots), found, limit=7)

    assert made == 7
    assert taken == firsts(slots)[7]
    assert found[:7].tobytes() == events[:7].tobytes()


@SPREADS
def test_a_door_gets_the_events_that_name_its_ring_anywhere(spread: Spread) -> None:
    _, slots = laid(spread, 4)
    at = firsts(slots)
    for k, place in enumerate(spread.ring_places.tolist()):
        slots.view(np.int8)[at, place] = np.arange(EVENTS) % (3 + 2 * k)
    events = spread.events_of(slots)
    rings = [name for name in events.dtype.names or () if name == "ring" or name.endswith("_ring")]
    wanted = events[np.any([events[name] == 1 for name in rings], axis=0)]
    found = np.zeros(EVENTS, spread.event_dtype)

    taken, made = spread.widen(slots, len(slots), found, ring_idx=1)

    assert taken == len(slots)
    assert 0 < made < EVENTS
    assert found[:made].tobytes() == wanted.tobytes()


def firsts(slots: Any) -> list[int]:
    """Return where events begin."""
    found, at = [], 0
    while at < len(slots):
        found.append(at)
        at += int(slots[at, MARK_WORD]) & COUNT_MASK
    return found


def test_the_largest_form_takes_as_many_slots_as_a_reader_asks_for() -> None:
    assert slot_count(SPREAD.sources[TRADE_OF_TEXTS]) == SLOTS_MAX


@pytest.mark.parametrize(
    ("forms", "said"),
    [
        ([Form((("session", "reserved", "eng_ts", "req_seq", "account", "total", "place"),))], "17 words"),
        ([Form((("session",),) * (SLOTS_MAX + 1))], "an event takes 1 to 3 slots, not 4"),
        ([Form((("eng_ts", "session"),)), Form((("session", "eng_ts"),))], "every form puts it in one place"),
        ([Form((("eng_ts",),))], "every form puts it in one place"),
    ],
    ids=["too long", "too many slots", "a ring that moves", "no ring"],
)
def test_forms_that_cannot_be_are_refused(forms: list[Form], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Spread(echo.EVENT, forms)
