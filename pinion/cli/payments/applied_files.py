"""Which files of set-up the journal of a folder has: each is applied once per content.

A restart with the same file must not thaw what was frozen since. The memory lies beside the journal, which
it belongs to, and holds keyed hashes: no content can be tried out against it.
"""

import time
from pathlib import Path

import msgspec

from engine.runtime.journal.journal import FOLDER, JournalError
from ringbuf.whole_files import write_atomically

FILE = "set-up.json"


class AppliedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was applied: a keyed hash of its content, its name then, and when, in ns."""

    content: str
    name: str
    at: int


class AppliedFiles:
    """The memory of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FOLDER / FILE
        self._files = self._read()

    def __contains__(self, content: str) -> bool:
        """Tell whether a content, by its hash, was applied."""
        return any(each.content == content for each in self._files)

    def add(self, content: str, name: str) -> None:
        """Note durably that a content was applied."""
        self._files.append(AppliedFile(content=content, name=name, at=time.time_ns()))
        write_atomically(self._path, msgspec.json.encode(self._files), sync=True)

    def _read(self) -> list[AppliedFile]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[AppliedFile])
        except FileNotFoundError:
            return []
        except msgspec.DecodeError as error:
            raise JournalError(
                f"{self._path}: is damaged ({error}); bring it back from a backup, or remove it: then every "
                f"file of set-up is applied once more"
            ) from error
