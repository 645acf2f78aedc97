"""Files of sets of rules in a data folder: where each lies, and what is in it, without judging it.

    DATA/rules/HASH.json    {"rules": [NAME ..], "files": {NAME: TEXT}}
    DATA/rules/code/KEY     what it was compiled to here (engine/rules/native.py)

A journal names a set by that hash alone, so what lies here must stay: a replay runs the code that ran.
engine/rules/store.py writes these files, and checks one against its hash.
"""

import ast
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.contract.errors import ToldError, reason_of
from engine.rules.language.scope import DECORATOR

FOLDER, CODE = "rules", "code"
HASH_BYTES = 16
MEND = "bring it back from a backup, or from the archive"


class SourceFileError(ToldError):
    """Error of rules whose source is missing, or is another one; the text says where it should be."""


class StoredSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set as it is stored: the names of its rules in their order, and its files, name -> text."""

    rules: tuple[str, ...]
    files: Mapping[str, str]


def path_of(folder: Path, source: bytes) -> Path:
    """Return where a set lies; folder : of sets."""
    return folder / f"{source.hex()}.json"


def stored_in(folder: Path, source: bytes) -> StoredSet:
    """Return a set as it is stored; raise SourceFileError where there is none, or half of one."""
    path = path_of(folder, source)
    try:
        return msgspec.json.decode(path.read_bytes(), type=StoredSet)
    except OSError as error:
        raise SourceFileError(
            f"{path}: the rules that the journal names are missing ({reason_of(error)}); {MEND}"
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise SourceFileError(f"{path}: is damaged ({fault}); {MEND}") from None


def params_of_all(folder: Path) -> dict[str, frozenset[str]]:
    """Return every rule that any set has which is stored, and all params that it has in any of them.

    A set that is damaged has none.
    """
    found: dict[str, frozenset[str]] = {}
    for path in folder.glob("*.json"):
        with suppress(SourceFileError, ValueError, SyntaxError):
            stored = stored_in(folder, bytes.fromhex(path.stem))
            for text in stored.files.values():
                for rule, params in _params_in(text):
                    found[rule] = found.get(rule, frozenset()) | params
    return found


def reasons_in(folder: Path, source: bytes) -> tuple[tuple[str, str], ...]:
    """Return the name and the reason of each rule of a set, "" where it has none; raise SourceFileError."""
    stored = stored_in(folder, source)
    found: dict[str, str] = {}
    for text in stored.files.values():
        for call in ast.walk(ast.parse(text)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == DECORATOR:
                said = (each.value for each in call.keywords if each.arg == "reason")
                found[ast.literal_eval(call.args[0])] = ast.literal_eval(next(said, ast.Constant("")))
    return tuple((name, found.get(name, "")) for name in stored.rules)


def _params_in(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each rule of a file, which was checked when it was stored, with the names of its params."""
    for call in ast.walk(ast.parse(text)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == DECORATOR:
            params = next((each.value for each in call.keywords if each.arg == "params"), None)
            names = (key.value for key in getattr(params, "keys", ()))
            yield ast.literal_eval(call.args[0]), frozenset(names)


def names_in(folder: Path, source: bytes) -> tuple[str, ...]:
    """Return the names of a set's rules in their order; raise SourceFileError."""
    return stored_in(folder, source).rules
