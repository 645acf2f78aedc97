"""Rules in a replay: files that its lines name, and what the rules of its events are called.

{"op":"rules","act":"register","file":"clip.py"}      beside the file of commands, or from the root
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.rules.language.faults import RuleFault
from engine.rules.stored import FOLDER, SourceFileError, reasons_in
from engine.trading.offline.rules import labels_of_offered, offer_rules
from gateways.json_lines import MalformedCommand
from gateways.json_lines.rules import RuleLabel

Fields = dict[str, Any]


def with_source(fields: Fields, folder: Path) -> Fields:
    """Return a line about rules with the hash of its file in the place of the file.

    folder : where files are that are named without one
    Raises MalformedCommand: also for a hash that this process has no rules of.
    """
    if fields.get("act") != "register":
        return fields
    name, source = fields.get("file"), fields.get("source")
    if (name is None) == (source is None):
        raise MalformedCommand("file", name, "give a file of rules")
    if name is None:
        if not isinstance(source, str) or not _is_offered(source):
            raise MalformedCommand("source", source, "a file of commands names a `file` of rules before it")
        return fields
    if not isinstance(name, str):
        raise MalformedCommand("file", name, "give the name of a file of rules")
    try:
        text = (folder / name).read_text("utf-8")
        offered = offer_rules({Path(name).name: text})
    except OSError as error:
        raise MalformedCommand("file", name, error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        raise MalformedCommand("file", name, f"is no text in UTF-8 (byte {error.start})") from None
    except RuleFault as fault:
        raise MalformedCommand("file", name, str(fault)) from None
    return {key: value for key, value in fields.items() if key != "file"} | {"source": offered.hex()}


def _is_offered(source: str) -> bool:
    try:
        return bool(labels_of_offered(bytes.fromhex(source)))
    except ValueError:
        return False


class ReplayLabels:
    """What rules are called: those that lines offered, and those of a data folder.

    data_dir : None where no journal is replayed
    """

    def __init__(self, data_dir: Path | None = None) -> None:
        self._folder = None if data_dir is None else data_dir / FOLDER
        self._known: dict[bytes, Sequence[RuleLabel]] = {}

    def __call__(self, source: bytes) -> Sequence[RuleLabel]:
        """Return the labels of the rules of a set."""
        if source not in self._known:
            found = labels_of_offered(source)
            if not found and self._folder is not None:
                try:
                    found = reasons_in(self._folder, source)
                except SourceFileError:  # the replay itself has ended for it, unless nothing ran them
                    found = ()
            self._known[source] = tuple(RuleLabel(*each) for each in found)
        return self._known[source]
