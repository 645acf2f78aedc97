"""Text files that a command line or a configuration names."""

from collections.abc import Iterable
from pathlib import Path

from engine.contract.errors import ToldError, UsageError, reason_of


def text_of(path: Path) -> str:
    """Return the text of a file; ToldError where it is none."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ToldError(f"{path}: {reason_of(error)}") from error
    except UnicodeDecodeError as error:
        raise ToldError(f"{path}: is no text in UTF-8 (byte {error.start}); save it as UTF-8") from error


def texts_by_name(paths: Iterable[Path]) -> dict[str, str]:
    """Return name -> text of files, as text_of; UsageError where two of them have one name."""
    texts: dict[str, str] = {}
    for path in paths:
        if path.name in texts:
            raise UsageError(f"{path}: another file is called {path.name}; rename one")
        texts[path.name] = text_of(path)
    return texts
