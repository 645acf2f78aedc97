"""A capture as the commands open it: its pairs, the key of its surrogates, and set-up that fits both."""

from pathlib import Path

from engine.contract.errors import UsageError, reason_of
from pinion.capture.folder import KEY_FILE, load_key
from pinion.capture.records import CaptureError, about
from pinion.capture.surrogates import Surrogates
from pinion.parity.surrogate_lines import with_surrogates


class CaptureFolder:
    """A folder that `pinion payments capture` made; raises CaptureError where it is none.

    key_file : of its surrogates, None for the one in the folder
    """

    def __init__(self, path: Path, key_file: Path | None = None) -> None:
        self.path = path
        self.about = about(path)
        file = key_file or path / KEY_FILE
        if not file.exists():
            raise CaptureError(
                f"{file}: is missing; bring back the key of the surrogates of this capture, or name it with "
                f"--key-file"
            )
        self.key = load_key(file)
        self.surrogates = Surrogates(self.key)
        if self.surrogates.fingerprint != self.about.fingerprint:
            raise CaptureError(
                f"{file}: is the key of other surrogates; name the one of this capture with --key-file"
            )

    def set_up(self, file: Path | None) -> bytes:
        """Return the lines of a file of set-up with surrogates for the cards on lists, nothing of no file."""
        if file is None:
            return b""
        try:
            return with_surrogates(file.read_bytes(), self.surrogates)
        except OSError as error:
            raise UsageError(
                f"--setup {file}: cannot be read ({reason_of(error)}); give another file"
            ) from error
