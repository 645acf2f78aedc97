"""Replaying a journal folder: the commands as they were sequenced, with the times they got."""

from pathlib import Path

from engine.runtime.journal import journal
from engine.runtime.journal.read_ahead import read_ahead
from engine.trading.capacities import Capacities
from engine.trading.name import TRADING
from engine.trading.offline.engine import ReplayEngine
from pinion.cli.applications import Applications
from pinion.cli.journal.data import open_journal, read_layout, require_application
from pinion.cli.replay.output import EventWriter


class JournalReplay:
    """An engine of the journal's capacities and the commands for it.

    `name`, `size` and `position` (bytes) are what a progress bar shows.
    """

    def __init__(self, data_dir: Path, applications: Applications, *, is_digested: bool) -> None:
        layout = read_layout(data_dir, applications)
        require_application(data_dir, layout, TRADING)
        self.name = str(data_dir / journal.FOLDER)
        self.size = sum(path.stat().st_size for path in journal.segment_paths(data_dir / journal.FOLDER))
        self.position = 0
        capacities = Capacities(**layout.capacities)
        self.engine = ReplayEngine(
            keeps_events=False, is_timed=False, is_digested=is_digested, capacities=capacities
        )
        replica, self._reader = open_journal(data_dir, self.engine.state, applications)
        self._replica = replica

    @property
    def seq(self) -> int:
        """The number of the last command applied."""
        return self._replica.seq

    def play(self, writer: EventWriter) -> None:
        """Apply every command; hand the events to the writer. Raises JournalError."""
        for records, epoch, _ in read_ahead(self._reader.stretches(2**62)):
            self._replica.enter_epoch(epoch)
            if writer.is_writing or self.engine.is_digested:
                events = self._replica.apply(records)
                self.engine.note(events)
                self.engine.catalogue(
                    self._replica.state
                )  # the writer's own, grown by what was defined just now
                writer.write(events)
            else:
                self._replica.skip(records)
            self.position = min(self.size, self.position + records.nbytes)
        self._replica.arrive()
