import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.streams.recent import EventHistory
from engine.trading.records import EVENT


def events(first: int, count: int, instrument: int = 0) -> np.ndarray:
    made = np.zeros(count, EVENT)
    made["event_idx"] = made["seq"] = np.arange(first, first + count)
    made["instrument"] = instrument
    return made


@example(batches=[1, 16, 0], after=0, limit=1)
@given(batches=st.lists(st.integers(0, 40), max_size=12), after=st.integers(0, 300), limit=st.integers(1, 20))
def test_history_answers_as_the_list_of_the_newest_would(batches: list[int], after: int, limit: int) -> None:
    history, everything = EventHistory(16), np.zeros(0, EVENT)

    for size in batches:
        batch = events(len(everything) + 1, size)
        history.append(batch)
        everything = np.concatenate((everything, batch))
    kept = everything[-16:]

    assert history.after(after)["seq"].tolist() == kept["seq"][kept["seq"] > after].tolist()
    assert history.page(0, 2**62, limit)["seq"].tolist() == kept["seq"][::-1][:limit].tolist()
    assert len(history) == len(kept)
    oldest_missing = int(everything["seq"][-17]) if len(everything) > 16 else 0
    assert history.complete_after_seq == oldest_missing


def test_pages_follow_each_other_by_event_index() -> None:
    history = EventHistory(16)
    history.append(events(1, 20))
    seen: list[int] = []
    before = 2**62

    while len(page := history.page(0, before, 3)):
        seen += page["event_idx"].tolist()
        before = seen[-1]

    assert seen == list(range(20, 4, -1))


def test_page_holds_the_events_of_its_instrument_only() -> None:
    history = EventHistory(16)
    history.append(events(1, 3, instrument=1))
    history.append(events(4, 3, instrument=2))

    assert history.page(1, 2**62, 10)["event_idx"].tolist() == [3, 2, 1]


@pytest.mark.parametrize(("after", "reached"), [(6, False), (7, True), (8, True)])
def test_history_does_not_reach_behind_a_gap(after: int, reached: bool) -> None:
    history = EventHistory(16)
    history.append(events(1, 3))

    history.mark_gap(7)

    assert history.reaches(after) is reached
