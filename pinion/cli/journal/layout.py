"""DATA/journal/layout.json: whose journal it is and of which capacities, checked field by field.

Nothing but these numbers says how large a state is: what is wrong with one must stop every tool by name,
before a state of another size is made of it.
"""

import difflib
from pathlib import Path
from typing import Any

import msgspec

from engine.runtime.journal.journal import JournalError
from engine.settings.sections import Section
from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault
from pinion.cli.applications import Applications, known

MEND = (
    "bring the file back from a backup; or, where the journal was never migrated, leave it out: `pinion up` "
    "with the capacities that the journal was written with writes it again"
)
FOREIGN_MEND = "use the program that wrote the journal, or bring the file back from a backup"


class PastLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Capacities that a journal had once."""

    capacities: dict[str, int]
    last_seq: int
    """The last command that was decided with them."""
    number: int
    """Of the first segment that is of other capacities."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether a journal and a configuration fit."""

    application: str
    capacities: dict[str, int]
    past: tuple[PastLayout, ...] = ()


class _WrongFieldError(Exception):
    """A field, what is wrong with it, and the mend."""

    def __init__(self, text: str, mend: str = MEND) -> None:
        super().__init__(text)
        self.mend = mend


def parsed(path: Path, content: bytes, applications: Applications) -> Layout:
    """Return the layout that a file's content says; JournalError names file, field, value and mend.

    applications : one of them is the journal's
    """
    try:
        return _layout(content, applications)
    except _WrongFieldError as wrong:
        raise JournalError(f"{path}: {wrong}; {wrong.mend}") from None


def _layout(content: bytes, applications: Applications) -> Layout:
    try:
        found = exact_json.decode(content)
    except DoubledKey as fault:
        raise _WrongFieldError(f"{fault.key} = {fault.given!r}: {fault}") from None
    except JsonFault:
        shown = content[:40].decode(errors="replace")
        raise _WrongFieldError(
            f"is cut or damaged: no JSON in its {len(content):,} bytes, {shown!r} ..."
        ) from None
    fields = _fields("", found, ("application", "capacities"), ("past",))
    application = fields["application"]
    if not isinstance(application, str) or application not in applications:
        raise _WrongFieldError(
            f"application = {application!r}: no tool of this program knows it, only {known(applications)}",
            FOREIGN_MEND,
        )
    kind = applications[application]().capacities
    capacities = _capacities("capacities", fields["capacities"], kind)
    past = fields.get("past", [])
    if not isinstance(past, list):
        raise _WrongFieldError(f"past = {past!r}: must be a list")
    eras: list[PastLayout] = []
    for index, each in enumerate(past):
        name = f"past[{index}]"
        era = _fields(f"{name}.", each, ("capacities", "last_seq", "number"))
        before = eras[-1] if eras else None
        eras.append(
            PastLayout(
                capacities=_capacities(f"{name}.capacities", era["capacities"], kind),
                last_seq=_whole(f"{name}.last_seq", era["last_seq"], before.last_seq if before else 0),
                number=_whole(f"{name}.number", era["number"], before.number + 1 if before else 1),
            )
        )
    return Layout(application=application, capacities=capacities, past=tuple(eras))


def _capacities(where: str, found: Any, kind: type[Section]) -> dict[str, int]:
    values = _fields(f"{where}.", found, kind.__struct_fields__)
    for name, value in values.items():
        try:
            msgspec.convert({name: value}, kind)
        except msgspec.ValidationError:
            raise _WrongFieldError(f"{where}.{name} = {value!r}: no journal has that capacity") from None
    return values


def _fields(
    where: str, found: Any, needed: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return a JSON object that has exactly these fields."""
    if not isinstance(found, dict):
        raise _WrongFieldError(
            f"{where.rstrip('.') or 'content'} = {found!r}: must be an object of {', '.join(needed)}"
        )
    for name in found:
        if name not in (*needed, *optional):
            near = difflib.get_close_matches(name, (*needed, *optional), 1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise _WrongFieldError(f"{where}{name} = {found[name]!r}: there is no such field{hint}")
    for name in needed:
        if name not in found:
            raise _WrongFieldError(f"{where}{name}: is missing")
    return found


def _whole(where: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**62:
        raise _WrongFieldError(f"{where} = {value!r}: must be a whole number from {least} on")
    return value
