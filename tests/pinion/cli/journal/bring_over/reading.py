"""What tests ask of a folder that is brought over."""

from pathlib import Path

from engine.contract.replica import private_state
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import load_snapshot
from pinion.cli.applications import Applications
from pinion.cli.journal.data import application_as, application_of, read_layout
from pinion.cli.journal.migrate import state_at_end
from pinion.cli.main import main
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal import small_journal

UPTO = (300, 600)
"""Where the snapshots are taken."""


def run(data_dir: Path, *options: str, applications: Applications = BOTH) -> int:
    return main(["journal", "migrate", str(data_dir), *options], applications)


def content_of(data_dir: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data_dir / "journal").glob("*.npy")}


def replayed_digest(data_dir: Path) -> str:
    return application_of(data_dir, BOTH).digest(small_journal.replayed(data_dir).state)


def digest_at_end(data_dir: Path, applications: Applications = BOTH) -> str:
    application = application_of(data_dir, applications)
    return application.digest(state_at_end(data_dir, application)[0].state)


def digests_of_snapshots(data_dir: Path, applications: Applications) -> list[str]:
    """Return what every snapshot holds, newest first, as today's version sees it."""
    today = application_as(read_layout(data_dir, applications), BOTH)
    application = application_of(data_dir, applications)
    found = []
    for path in snapshot.snapshot_paths(data_dir):
        record = load_snapshot(path, application)[0].record
        state = private_state(today.state_dtype)
        assert today.convert is not None
        today.convert(record["state"], state)
        found.append(today.digest(state))
    return found


def capacities_of(data_dir: Path) -> dict[str, int]:
    return read_layout(data_dir, BOTH).capacities
