"""Files of user rules that a command line names."""

from pathlib import Path

from engine.contract.errors import ToldError, reason_of


def text_of(path: Path) -> str:
    """Return the text of a file; ToldError where it is none."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ToldError(f"{path}: {reason_of(error)}") from error
    except UnicodeDecodeError as error:
        raise ToldError(f"{path}: is no text in UTF-8 (byte {error.start}); save it as UTF-8") from error
