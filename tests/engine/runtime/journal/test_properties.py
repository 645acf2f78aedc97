"""Any order of writing, rotating, dying and following gives the list that was written."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.runtime.journal.journal import JournalReader
from engine.runtime.journal.survey import survey
from tests.engine.runtime.journal.test_follow import Reading
from tests.engine.runtime.journal.written import OWNER, SLOTS, Journal, marks_of, read

SEGMENT = st.sampled_from([6, 9, SLOTS])
STEP = st.one_of(
    st.tuples(st.just("write"), st.integers(1, SLOTS), st.integers(1, SLOTS)),
    st.tuples(st.just("unheard"), st.integers(1, SLOTS), st.integers(1, SLOTS)),
    st.tuples(st.just("follow"), st.integers(0, 100), st.just(0)),
    st.tuples(st.sampled_from(["rotate", "cold", "warm"]), st.just(0), st.just(0)),
)
"""What is done and two sizes: commands that come, of which so many are written; or percents of D."""


class Model:
    """The journal and the plain list that it should be."""

    def __init__(self, folder: Path, slot_count: int) -> None:
        self.journal = Journal(folder, slot_count=slot_count)
        self.journal.start()
        self.reading = Reading(folder)
        self.durable: list[int] = []
        self._mark = 0

    def do(self, what: str, first: int, second: int) -> None:
        """Take one step in both."""
        if what in ("write", "unheard"):
            self._write(what, first, second)
        elif what == "follow":
            self.reading.read(max(self.reading.next_seq - 1, len(self.durable) * first // 100))
        elif what == "rotate":
            self.journal.rotate()
        elif what == "warm":
            self.journal.restart()
        else:
            self.journal.start()

    def _write(self, what: str, coming: int, size: int) -> None:
        journal = self.journal
        room = journal.slot_count - 2
        for _ in range(min(coming, 2 * room - len(journal.ring))):
            self._mark += 1
            journal.put(self._mark)
        count = min(size, len(journal.ring), room)
        marks = journal.ring[:count]
        if what == "write":
            journal.write(count, wrap=size % (count + 1))
            self.durable += marks
            return
        journal.write_unheard(count)
        if coming % 2:  # the journaler died before anybody heard of it; or everything did
            journal.restart()
        else:
            journal.start()
            self.durable += marks

    def check(self) -> None:
        """Compare everything."""
        assert read(self.journal.folder)[0] == self.durable
        found = survey(self.journal.folder, owner=OWNER)
        assert found.end.seq == len(self.durable) == self.journal.durable
        assert found.cut is None
        self.reading.read(len(self.durable))
        assert self.reading.marks == self.durable
        stretches = JournalReader(self.journal.folder).stretches(len(self.durable), slot_count=7)
        assert [mark for records, _, _ in stretches for mark in marks_of(records)] == self.durable


@settings(max_examples=120, deadline=None)
@given(SEGMENT, st.lists(STEP, max_size=25))
def test_reading_gives_the_list_that_was_written(slot_count: int, steps: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = Model(Path(folder) / "journal", slot_count)
        try:
            for step in steps:
                model.do(*step)
            model.check()
        finally:
            model.journal.close()
