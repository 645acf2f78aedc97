"""A stopped instance's folder, as it is, as an earlier version left it, and without its first segments."""

import shutil
from pathlib import Path

import pytest

from engine.runtime.journal.journal import open_segment, segment_paths
from pinion.cli.journal.data import remember
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal import small_journal
from tests.pinion.cli.journal.bring_over.reading import UPTO
from tests.pinion.cli.journal.other_versions import make_old
from tests.pinion.cli.journal.subjects import Subject


@pytest.fixture(scope="module")
def written(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped instance's folder, with two snapshots and commands behind them."""
    data_dir = tmp_path_factory.mktemp("data")
    remember(data_dir, subject.name, subject.small, BOTH)
    small_journal.append(data_dir, [*subject.definitions, *subject.mixed(1, 700, 1)])
    for upto in UPTO:
        small_journal.take_snapshot(data_dir, upto)
    return data_dir


@pytest.fixture
def data_dir(written: Path, tmp_path: Path) -> Path:
    """Return a copy that may be changed."""
    return Path(shutil.copytree(written, tmp_path / "data"))


@pytest.fixture
def old(data_dir: Path) -> Path:
    """Return the folder as an earlier version left it."""
    make_old(data_dir)
    return data_dir


@pytest.fixture
def beheaded(data_dir: Path) -> Path:
    """Return the folder without its first segments, as an archive leaves it."""
    archived = data_dir / "archive"
    archived.mkdir()
    for path in segment_paths(data_dir / "journal"):
        if open_segment(path).head.begin.seq <= UPTO[0] - 100:
            path.rename(archived / path.name)
    return data_dir
