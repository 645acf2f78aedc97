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
VERSION = 2
"""Of layout.json. The first had no field that says so, and its segments are bound to the state's layout."""
FOREIGN_MEND = "use the program that wrote the journal, or bring the file back from a backup"


class PastLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Capacities that a journal had once."""

    capacities: dict[str, int]
    last_seq: int
    """The last command that was decided with them."""
    number: int
    """Of the first segment that is of other capacities."""


class MarkedLayout(msgspec.Struct, frozen=True, kw_only=True):
    """How segments were marked by versions that bound them to the layout of the state."""

    number: int
    """Of the first segment that is marked otherwise."""
    identity: int | None
    """None: no such segment was in the journal when it was brought over."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether a journal and a configuration fit."""

    version: int = VERSION
    application: str
    capacities: dict[str, int]
    past: tuple[PastLayout, ...] = ()
    earlier: tuple[MarkedLayout, ...] = ()


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
    fields = _fields("", found, ("application", "capacities"), ("version", "past", "earlier"))
    version = fields.get("version", 1)
    if type(version) is not int or version not in (1, VERSION):  # true is an int, and equals 1
        raise _WrongFieldError(f"version = {version!r}: this Pinion knows 1 and {VERSION}", FOREIGN_MEND)
    application = fields["application"]
    if not isinstance(application, str) or application not in applications:
        raise _WrongFieldError(
            f"application = {application!r}: no tool of this program knows it, only {known(applications)}",
            FOREIGN_MEND,
        )
    kind = applications[application]().capacities
    capacities = _capacities("capacities", fields["capacities"], kind)
    return Layout(
        version=version,
        application=application,
        capacities=capacities,
        past=_past(_list("past", fields), kind),
        earlier=_earlier(_list("earlier", fields)),
    )


def _past(found: list[Any], kind: type[Section]) -> tuple[PastLayout, ...]:
    eras: list[PastLayout] = []
    for index, each in enumerate(found):
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
    return tuple(eras)


def _earlier(found: list[Any]) -> tuple[MarkedLayout, ...]:
    marked: list[MarkedLayout] = []
    for index, each in enumerate(found):
        name = f"earlier[{index}]"
        fields = _fields(f"{name}.", each, ("number", "identity"))
        identity = fields["identity"]
        marked.append(
            MarkedLayout(
                number=_whole(f"{name}.number", fields["number"], marked[-1].number + 1 if marked else 1),
                identity=None if identity is None else _whole(f"{name}.identity", identity, 0, 2**63),
            )
        )
    return tuple(marked)


def _list(name: str, fields: dict[str, Any]) -> list[Any]:
    found = fields.get(name, [])
    if not isinstance(found, list):
        raise _WrongFieldError(f"{name} = {found!r}: must be a list")
    return found


def _capacities(where: str, found: Any, kind: type[Section]) -> dict[str, int]:
    later: tuple[str, ...] = getattr(kind, "later", ())
    needed = tuple(name for name in kind.__struct_fields__ if name not in later)
    values = _fields(f"{where}.", found, needed, later)
    values = {name: getattr(kind(), name) for name in later} | values
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


def _whole(where: str, value: Any, least: int, most: int = 2**62) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < most:
        raise _WrongFieldError(f"{where} = {value!r}: must be a whole number from {least} on")
    return value
