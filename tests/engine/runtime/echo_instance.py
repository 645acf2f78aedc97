"""A whole instance around the echo application, as a process: small kernels, no doors, one spare ring.

    python -m tests.engine.runtime.echo_instance DIR [ACCOUNTS DSN]

A command whose session is POISON kills the worker: an assertion within apply. With the DSN of a database
history is written there; without one there is none.
"""

import logging
import sys
from pathlib import Path

from engine.contract.application import Application
from engine.runtime.supervision.configure import FirstCommands
from engine.runtime.supervision.ownership import owned
from engine.runtime.supervision.supervisor import Supervisor
from engine.settings.config import HistorySettings
from pinion.cli.journal.data import application_of, remember
from tests.engine.runtime.echo import ACCOUNTS, NAME
from tests.engine.runtime.echo_tools import BOTH, DEMO

SETTINGS = DEMO.engine


def noted(data_dir: Path, accounts: int) -> Application:
    """Return the application as the folder's journal has it; its capacity is noted there."""
    remember(data_dir, NAME, {"accounts": accounts}, BOTH)
    return application_of(data_dir, BOTH)


def main(data_dir: Path, kind: type[Supervisor] = Supervisor, accounts: int = ACCOUNTS, dsn: str = "") -> int:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO)
    with owned(data_dir) as lock:
        supervisor = kind(
            data_dir=data_dir, lock=lock, config="echo", settings=SETTINGS,
            history=HistorySettings(enabled=bool(dsn), dsn=dsn),
            application=noted(data_dir, accounts), doors=[],
            first=FirstCommands(missing=lambda state: ()),
        )  # fmt: skip
        return supervisor.run(lambda *_: print("ready", flush=True))


if __name__ == "__main__":
    folder, accounts, dsn = sys.argv[1:] if len(sys.argv) > 2 else (sys.argv[1], ACCOUNTS, "")
    sys.exit(main(Path(folder), accounts=int(accounts), dsn=dsn))
