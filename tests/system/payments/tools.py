"""The command line as these tests run it, and the digest that a journal gives."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from pinion.cli.journal.data import application_of, open_journal


def pinion(*arguments: str) -> str:
    """Run the command line; return what it prints, fail where it fails."""
    command = [sys.executable, "-m", "pinion.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def digest_at(data_dir: Path, seq: int) -> str:
    """Return the digest of the state that the journal gives at seq, from its very beginning."""
    return application_of(data_dir).digest(state_at(data_dir, seq))


def state_at(data_dir: Path, seq: int) -> Any:
    """Return the state that the journal gives at seq, from its very beginning."""
    replica, reader = open_journal(data_dir)
    for records, epoch, _ in reader.stretches(seq):
        replica.enter_epoch(epoch)
        replica.skip(records[records["seq"] <= seq])
    replica.arrive()
    return replica.state
