"""Files of rules that an operator sends: made ready beside the door, then registered by their hash.

    {"op":"rules","act":"register","files":{"clip.py":"..."},"why":"clips of 500"}

A hash that is sent in their place has to be that of a set which lies in the data folder: the engine, which
cannot go on without its source, would end.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.rules.stored import HASH_BYTES, SourceFileError, reasons_in, stored_in
from gateways.entry.refusals import DoorReason, Refusal, Refused, malformed
from gateways.json_lines.fields import Fields
from gateways.json_lines.rules import RuleLabel
from gateways.process.workshop import NotReadyError, RulesFault, Workshop

FILES_MAX = 64
NAME_CHARACTERS_MAX = 64
WHO_BYTES = 24


class RuleFiles:
    """Makes files ready, and knows what the rules of stored sets are called."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._labels: dict[bytes, Sequence[RuleLabel]] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    def labels_of(self, source: bytes) -> Sequence[RuleLabel]:
        """Return the labels of the rules of a set; none where its file cannot be read."""
        known = self._labels.get(source)
        if known is None:
            try:
                found = reasons_in(self._workshop.folder, source)
            except SourceFileError:
                return ()
            known = self._labels[source] = tuple(RuleLabel(*each) for each in found)
        return known

    def prepare(
        self, fields: Fields, who: str, go_on: Callable[[Fields], None], refuse: Callable[[Refusal], None]
    ) -> bool:
        """Take a `rules` line: note who it comes from; tell whether its files are made ready first.

        Then `go_on` is called with a line that names their hash, or `refuse`. Raises Refused.
        """
        if "who" in fields:
            raise malformed("leave it out: it is the name of the key", "who")
        if fields.get("act") in ("register", "activate", "rollback"):
            fields["who"] = who.encode()[:WHO_BYTES].decode(errors="ignore")
        if fields.get("act") != "register":
            return False
        files = fields.get("files")
        if files is None:
            self._require_stored(fields.get("source"))
            return False
        if "source" in fields:
            raise malformed("give files or source, not both", "source")
        rest = {name: value for name, value in fields.items() if name != "files"}
        task = asyncio.get_running_loop().create_task(self._make(_files(files), rest, go_on, refuse))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return True

    async def _make(
        self,
        files: Mapping[str, str],
        rest: Fields,
        go_on: Callable[[Fields], None],
        refuse: Callable[[Refusal], None],
    ) -> None:
        try:
            source = await self._workshop.source_of(files)
        except RulesFault as fault:
            refuse(Refusal(DoorReason.MALFORMED, fault.detail, fault.field))
        except NotReadyError as error:
            refuse(Refusal(DoorReason.BUSY, f"{error}; nothing was done"))
        else:
            try:
                go_on({**rest, "source": source.hex()})
            except Refused as refused:
                refuse(refused.refusal)

    def _require_stored(self, source: Any) -> None:
        try:
            given = bytes.fromhex(source) if isinstance(source, str) else b""
        except ValueError:
            given = b""
        if len(given) != HASH_BYTES:
            return  # the codec says what is wrong with it
        try:
            stored_in(self._workshop.folder, given)
        except SourceFileError:
            detail = f"{source}: no such set lies in the data folder; send its files"
            raise malformed(detail, "source") from None


def _files(given: Any) -> dict[str, str]:
    """Return the files of a line, name -> text."""
    is_whole = isinstance(given, dict) and all(isinstance(text, str) for text in given.values())
    if not is_whole or not 0 < len(given) <= FILES_MAX:
        raise malformed('give an object from names of files to their texts, as {"clip.py":"..."}', "files")
    for name in given:
        if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
            raise malformed(f"a name has 1 to {NAME_CHARACTERS_MAX} printable characters", "files")
    return dict(given)
