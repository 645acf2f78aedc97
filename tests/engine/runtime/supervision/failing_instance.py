"""The echo instance on a disk that hangs or refuses while a file in the data folder says so.

DATA/hang    a sync of data does not return; DATA/hanging appears as soon as one is in it
DATA/refuse  a sync, of data or of a new file, fails with EIO
"""

import errno
import sys
import time
from dataclasses import replace
from pathlib import Path

from engine.runtime.journal.disk import Disk
from engine.runtime.supervision.supervisor import Supervisor
from tests.engine.runtime import echo_instance

HANG, HANGING, REFUSE = "hang", "hanging", "refuse"
LOOK_AGAIN_S = 0.002


class UnsoundDisk(Disk):
    """A real disk, but for what the files say."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def sync_data(self, file: int) -> None:
        while (self._data_dir / HANG).exists():
            (self._data_dir / HANGING).touch()
            time.sleep(LOOK_AGAIN_S)
        self._refuse()
        super().sync_data(file)

    def sync(self, file: int) -> None:
        self._refuse()
        super().sync(file)

    def _refuse(self) -> None:
        if (self._data_dir / REFUSE).exists():
            raise OSError(errno.EIO, "a sync fails in this test")


class OnUnsoundDisk(Supervisor):
    """A supervisor whose journaler writes through that disk."""

    def _start_service(self, name: str) -> None:
        self.services = replace(self.services, disk=UnsoundDisk(self.data_dir))
        super()._start_service(name)


if __name__ == "__main__":
    sys.exit(echo_instance.main(Path(sys.argv[1]), OnUnsoundDisk))
