"""A whole instance around the echo application, as a process: small kernels, no doors, one spare ring.

    python -m tests.engine.runtime.echo_instance DIR

A command whose session is POISON kills the worker: an assertion within apply.
"""

import logging
import sys
from pathlib import Path

from engine.runtime.supervision.ownership import owned
from engine.runtime.supervision.supervisor import Supervisor
from engine.settings.config import EngineSettings, HistorySettings
from tests.engine.runtime.echo import application

SETTINGS = EngineSettings(
    command_ring=256, journal_ring=256, event_ring=2048, batch=16, cpu="none", lock_memory=False,
    spare_rings=1, journal_segment=1024, snapshot_every=2**16,
)  # fmt: skip


def main(data_dir: Path, kind: type[Supervisor] = Supervisor) -> int:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO)
    with owned(data_dir) as lock:
        supervisor = kind(
            data_dir=data_dir, lock=lock, config="echo", settings=SETTINGS, history=HistorySettings(),
            application=application(), definitions=[], doors=[],
            missing=lambda definitions, state: definitions,
        )  # fmt: skip
        return supervisor.run(lambda *_: print("ready", flush=True))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
