"""A data folder as the tools open it: whose journal it is, and an engine of its capacities.

DATA/journal/layout.json names application and capacities, so that no tool needs the
configuration that the journal was written with.
"""

import dataclasses
from pathlib import Path
from typing import Any

import msgspec

from engine import instance
from engine.cli.trading import trading
from engine.config import Capacities, ConfigError
from engine.runtime import journal
from engine.runtime.journal import JournalError, Reader
from engine.runtime.quarantine import quarantined
from engine.runtime.replica import Replica
from engine.runtime.segments import Application

LAYOUT_FILE = "layout.json"


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether a journal and a configuration fit."""

    application: str
    capacities: dict[str, int]


def remember(data_dir: Path, capacities: Capacities) -> None:
    """Note the capacities beside a new journal; ConfigError where a journal has others."""
    wanted = dataclasses.asdict(capacities)
    path = data_dir / journal.FOLDER / LAYOUT_FILE
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        layout = Layout(application="trading", capacities=wanted)
        instance.write_atomically(path, msgspec.json.encode(layout))
        return
    known = read_layout(data_dir).capacities
    for name, value in wanted.items():
        if known.get(name) != value:
            raise ConfigError(
                f"engine.capacities.{name} = {value}: the journal in {data_dir} was written with "
                f"{known.get(name)}; set that again, or take another folder with --data"
            )


def read_layout(data_dir: Path) -> Layout:
    """Return what layout.json says; JournalError where there is no journal."""
    path = data_dir / journal.FOLDER / LAYOUT_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Layout)
    except FileNotFoundError:
        raise JournalError(f"{data_dir}: holds no journal (no {path.relative_to(data_dir)})") from None
    except msgspec.MsgspecError as error:
        raise JournalError(f"{path}: {error}") from error


def data_folder(path: Path) -> Path:
    """Return the data folder of what a user names: that folder, or the journal in it."""
    given = path.resolve()
    return given.parent if given.name == journal.FOLDER and not (given / journal.FOLDER).is_dir() else given


def application_of(data_dir: Path) -> Application:
    """Return the application with the capacities of the journal."""
    return trading(Capacities(**read_layout(data_dir).capacities))


def open_journal(data_dir: Path, state: Any = None) -> tuple[Replica, Reader]:
    """Return an empty engine and the journal, both at the very beginning.

    state : array of one STATE record of the journal's capacities; private memory when left out
    """
    application = application_of(data_dir)
    replica = Replica(application, state)
    replica.quarantined = quarantined(data_dir)
    identity = application.identity
    return replica, Reader(data_dir / journal.FOLDER, identity=identity)
