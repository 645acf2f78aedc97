"""`pinion journal migrate`: nothing decided is decided again, everything after has the new room."""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.contract.control_words import DURABLE
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError, JournalReader, segment_paths
from engine.runtime.journal.survey import survey
from engine.runtime.process import take_role
from engine.runtime.processes.history import JournalSource, replica_at
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import EraReplica, owner_over_eras
from engine.runtime.upkeep import migration
from engine.settings.config import ConfigError
from pinion.cli.journal.data import application_of, read_layout, remember
from pinion.cli.journal.migrate import migrate, state_at_end
from tests.engine.runtime.echo_tools import BOTH
from tests.engine.runtime.journal.power import KilledError
from tests.engine.runtime.journal.test_archive import DyingDisk
from tests.engine.trading.state_reading import check_invariants
from tests.pinion.cli.journal import small_journal
from tests.pinion.cli.journal.subjects import OF_TRADING, Subject, pinion

STEP = 1 if os.environ.get("PINION_LONG") else 3
"""Of the moments to be killed at, each takes half a second."""
BEFORE, AFTER = 700, 200


@pytest.fixture(scope="module")
def written(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped instance's folder: more came than `small` has room for."""
    data_dir = tmp_path_factory.mktemp("data")
    remember(data_dir, subject.name, subject.small, BOTH)
    commands = [*subject.definitions, *subject.filling(1, BEFORE)]
    small_journal.append(data_dir, [*commands, *subject.mixed(BEFORE + 1, AFTER, 1)])
    small_journal.take_snapshot(data_dir, 300)
    small_journal.take_snapshot(data_dir, 800)
    return data_dir


@pytest.fixture
def data_dir(written: Path, tmp_path: Path) -> Path:
    """Return a copy that may be changed."""
    return Path(shutil.copytree(written, tmp_path / "data"))


@pytest.fixture
def large(subject: Subject, tmp_path: Path) -> Path:
    """Return a configuration of the larger capacities."""
    return subject.write_config(tmp_path / "large.toml", subject.large)


def run(data_dir: Path, file: Path) -> int:
    return pinion(["journal", "migrate", str(data_dir), "--config", str(file)])


def told(data_dir: Path, tmp_path: Path) -> list[dict[str, Any]]:
    """Return the events that `pinion replay` tells."""
    path = tmp_path / "events"
    assert pinion(["replay", str(data_dir), "--events", str(path)]) == 0
    return [json.loads(line) for line in path.read_text().splitlines()]


def events_of(data_dir: Path) -> Any:
    """Return every event of the journal, replayed from the very beginning."""
    application = application_of(data_dir, BOTH)
    replica, made = EraReplica(application), [np.zeros(0, application.event_dtype)]
    for records, epoch, _ in JournalReader(
        data_dir / "journal", owner=owner_over_eras(application)
    ).stretches(2**62):
        replica.enter_epoch(epoch)
        made.append(replica.apply(records))
    return np.concatenate(made)


def refusals(data_dir: Path, events: Any) -> int:
    """Return how many of the events refuse their command."""
    refusal = application_of(data_dir, BOTH).refusal
    return sum(bool(refusal(event)) for event in events)


def digest_at_end(data_dir: Path) -> str:
    return application_of(data_dir, BOTH).digest(at_end(data_dir).state)


def replayed_digest(data_dir: Path) -> str:
    return application_of(data_dir, BOTH).digest(small_journal.replayed(data_dir).state)


def at_end(data_dir: Path) -> EraReplica:
    return state_at_end(data_dir, application_of(data_dir, BOTH))[0]


def test_what_was_refused_for_lack_of_room_stays_refused_and_what_comes_has_room(
    subject: Subject, data_dir: Path, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = events_of(data_dir)
    name, used = subject.is_full

    assert run(data_dir, large) == 0
    small_journal.append(data_dir, subject.filling(10_000, 300))

    after = events_of(data_dir)
    assert refusals(data_dir, before) > 100
    assert (after[: len(before)] == before).all()
    assert len(after) >= len(before) + 300
    assert refusals(data_dir, after[len(before) :]) == 0
    assert pinion(["journal", "verify", str(data_dir)]) == 0
    said = capsys.readouterr()
    assert f"{name:<14} {used:,} -> {subject.large[name]:,}" in said.out
    assert "all whole and chained" in said.out


@OF_TRADING
def test_replay_goes_over_it(subject: Subject, data_dir: Path, large: Path, tmp_path: Path) -> None:
    before = told(data_dir, tmp_path)
    full = [each for each in before if each.get("reason") == "orders_full"]

    assert run(data_dir, large) == 0
    assert told(data_dir, tmp_path) == before
    small_journal.append(data_dir, subject.filling(10_000, 300))

    after = told(data_dir, tmp_path)
    assert len(full) > 100
    assert after[: len(before)] == before
    assert [each["event"] for each in after[len(before) :]] == ["accepted"] * 300
    check_invariants(at_end(data_dir).state)


def test_from_the_beginning_and_from_the_snapshot_the_state_is_the_same(
    subject: Subject, data_dir: Path
) -> None:
    migrate(data_dir, subject.large, Disk(), BOTH)
    small_journal.append(data_dir, subject.mixed(20_000, 400, 2))
    application = application_of(data_dir, BOTH)

    taken, _ = snapshot.newest(data_dir, application)

    assert taken is not None
    assert digest_at_end(data_dir) == replayed_digest(data_dir)
    end = survey(data_dir / "journal", taken.position, application.owner).end
    assert end.seq == at_end(data_dir).seq


def test_twice_and_with_nothing_in_between_and_down_again(subject: Subject, data_dir: Path) -> None:
    for capacities in (subject.large, subject.small, subject.large):
        migrate(data_dir, capacities, Disk(), BOTH)
    small_journal.append(data_dir, [])
    migrate(data_dir, subject.small, Disk(), BOTH)
    small_journal.append(data_dir, subject.mixed(20_000, 100, 3))

    assert len(read_layout(data_dir, BOTH).past) == 4
    assert digest_at_end(data_dir) == replayed_digest(data_dir)
    assert pinion(["journal", "verify", str(data_dir)]) == 0


@OF_TRADING
def test_whatif_goes_over_it(
    subject: Subject, data_dir: Path, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(data_dir, large)
    small_journal.append(data_dir, subject.filling(10_000, 10))
    capsys.readouterr()

    assert pinion(["whatif", str(data_dir), "--limit", '{"account":1,"max_open_orders":3}']) == 0

    assert "max_open_orders" in capsys.readouterr().out


class HistorySide:
    """What a history process keeps: a source, a projection, a replica."""

    def __init__(self, data_dir: Path, mark: int) -> None:
        application = application_of(data_dir, BOTH)
        assert application.projection is not None
        control = np.zeros(DURABLE + 1, np.int64)
        self.end = control[DURABLE] = at_end(data_dir).seq
        self.source = JournalSource(data_dir / "journal", control, owner_over_eras(application))
        self.projection = application.projection()
        self.replica = replica_at(application, data_dir, mark, self.projection.open)
        while self.replica.seq < mark:
            entries = self.source.read(self.replica.seq + 1, mark - self.replica.seq, lambda: None)
            self.replica.apply(entries)
        self.projection.open(self.replica.state)

    def rows(self) -> int:
        """Project the rest; return how many commands that was. The projection compares with the state."""
        count = 0
        while self.replica.seq < self.end:
            entries = self.source.read(self.replica.seq + 1, 100, lambda: None)
            events = self.replica.apply(entries)
            self.projection.batch(entries, events, self.replica.state)
            count += len(entries)
        return count


@pytest.mark.parametrize("mark", [0, 1, 500, 850, 906, 907, 950])
def test_history_goes_on_from_any_mark_before_or_behind_it(
    subject: Subject, data_dir: Path, mark: int
) -> None:
    migrate(data_dir, subject.large, Disk(), BOTH)
    small_journal.append(data_dir, subject.mixed(20_000, 100, 4))

    history = HistorySide(data_dir, mark)

    assert history.rows() == history.end - mark
    if mark:
        assert history.source.read(mark, 1, lambda: None)["seq"] == [mark]


def test_killed_at_any_moment_the_old_or_the_new_is_whole_and_again_finishes_it(
    subject: Subject, written: Path, tmp_path: Path
) -> None:
    lives, alive, ends = 0, DyingDisk(), set()
    end = at_end(written).seq
    while not lives or alive.lives == 0:
        data_dir = Path(shutil.copytree(written, tmp_path / str(lives)))
        alive = DyingDisk(lives)
        with suppress(KilledError):
            migrate(data_dir, subject.large, alive, BOTH)
        is_new = (data_dir / migration.STAGED).exists() or bool(read_layout(data_dir, BOTH).past)
        capacities = subject.large if is_new else subject.small
        remember(data_dir, subject.name, capacities, BOTH)  # as a start does
        application = application_of(data_dir, BOTH)
        taken, complaints = snapshot.newest(data_dir, application)
        assert taken is not None
        assert not complaints
        assert survey(data_dir / "journal", taken.position, application.owner).end.seq == end
        ends.add(is_new)

        if not is_new:
            migrate(data_dir, subject.large, Disk(), BOTH)
        small_journal.append(data_dir, subject.filling(10_000, 3))
        assert at_end(data_dir).seq == end + 3
        assert not (data_dir / migration.STAGED).exists()
        shutil.rmtree(data_dir)
        lives += STEP
    assert ends == {False, True}
    assert lives > 20


def test_an_interrupted_one_is_named_and_finished_by_the_same_command(
    subject: Subject, data_dir: Path, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = DyingDisk()
    copy = Path(shutil.copytree(data_dir, data_dir.parent / "copy"))
    migrate(copy, subject.large, disk, BOTH)
    named = disk.log.index(("rename", migration.STAGED))
    with pytest.raises(KilledError):
        migrate(data_dir, subject.large, DyingDisk(named + 2), BOTH)

    assert pinion(["journal", "verify", str(data_dir)]) == 1
    assert "a migration was interrupted" in capsys.readouterr().err
    assert run(data_dir, large) == 0
    assert "finished the migration" in capsys.readouterr().out
    assert pinion(["journal", "verify", str(data_dir)]) == 0


def test_the_snapshot_behind_it_can_be_made_again(subject: Subject, data_dir: Path, large: Path) -> None:
    migrate(data_dir, subject.large, Disk(), BOTH)
    small_journal.append(data_dir, subject.filling(10_000, 20))
    snapshot.snapshot_paths(data_dir)[0].unlink()
    application = application_of(data_dir, BOTH)
    with pytest.raises(JournalError, match=r"pinion journal migrate .* --config FILE"):
        list(JournalReader(data_dir / "journal", owner=application.owner))

    assert run(data_dir, large) == 0

    taken, _ = snapshot.newest(data_dir, application)
    assert taken is not None
    assert taken.position == survey(data_dir / "journal", taken.position, application.owner).end
    assert run(data_dir, large) == 0


@pytest.mark.parametrize("wanted", ["small", "large", "altered"])
def test_a_layout_that_was_altered_is_named_as_the_cause(
    subject: Subject, data_dir: Path, tmp_path: Path, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _ = subject.is_full
    altered = subject.small | {name: 2 * subject.small[name]}
    layout = data_dir / "journal" / "layout.json"
    content = msgspec.json.decode(layout.read_bytes())
    layout.write_bytes(msgspec.json.encode(content | {"capacities": altered}))
    capacities = {"small": subject.small, "large": subject.large, "altered": altered}[wanted]

    assert run(data_dir, subject.write_config(tmp_path / "wanted.toml", capacities)) == 1

    said = capsys.readouterr().err
    assert f"written with other capacities or another application than {layout} says" in said
    assert "layout.json was changed, or the segment belongs elsewhere; bring that file back" in said
    assert said.count("journal migrate") == 1, "it advises itself"


def test_less_than_is_used_is_refused_by_name(
    subject: Subject, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, used = subject.is_full
    path = subject.write_config(tmp_path / "less.toml", subject.small | {name: used - 1})
    before = sorted(each.name for each in segment_paths(data_dir / "journal"))

    assert run(data_dir, path) == 2

    said = capsys.readouterr().err
    setting = f"{subject.section}.{name} = {used - 1}"
    assert f"{setting}: {used} are, or were at one time, in use; set {used} or more" in said
    assert sorted(each.name for each in segment_paths(data_dir / "journal")) == before
    assert read_layout(data_dir, BOTH).capacities == subject.small


def test_a_running_instance_is_not_migrated(
    data_dir: Path, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = take_role(data_dir, "supervisor")
    try:
        assert run(data_dir, large) == 1
    finally:
        os.close(lock)

    assert f"in use by process {os.getpid()}: stop it first" in capsys.readouterr().err


def test_a_start_with_other_capacities_names_the_command(subject: Subject, data_dir: Path) -> None:
    with pytest.raises(ConfigError, match=f"pinion journal migrate {data_dir} --config FILE"):
        remember(data_dir, subject.name, subject.large, BOTH)


def test_nothing_to_do_is_said(
    subject: Subject, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data_dir, subject.write_config(tmp_path / "same.toml", subject.small)) == 0

    assert "nothing to do" in capsys.readouterr().out


def test_an_application_that_cannot_convert_its_state_keeps_its_capacities(
    subject: Subject, data_dir: Path
) -> None:
    tools = BOTH[subject.name]()
    fixed = replace(tools, make=lambda capacities: replace(tools.make(capacities), convert=None))

    with pytest.raises(JournalError, match=f"'{subject.name}' cannot change its capacities; keep them"):
        migrate(data_dir, subject.large, Disk(), {subject.name: lambda: fixed})
