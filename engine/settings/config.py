"""Settings: one TOML, read once, into frozen structs checked at construction.

`load(path, kind)` reads a file; `kind` is what an application makes of InstanceSettings, such as
`engine.trading.settings.TradingSettings`. Everything else gets its settings passed, keyword by
keyword; nobody else reads the file.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import IntFlag
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from engine.contract.control_words import EVENT_RING_MIN
from engine.contract.errors import reason_of
from engine.settings.door_settings import DoorLimits, SocketSettings
from engine.settings.sections import ConfigError as ConfigError  # whoever reads settings catches it from here
from engine.settings.sections import Section

Count = Annotated[int, Meta(ge=1, le=2**28)]
Slots = Annotated[int, Meta(ge=64, le=2**24)]
Whole = TypeVar("Whole", bound="InstanceSettings")
Inner = TypeVar("Inner", bound=Section)
ENGINE_CAPACITIES = "engine.capacities"
"""Where capacities stand unless an application says another place."""


class EngineSettings(Section, frozen=True, kw_only=True):
    """[engine]: the worker and its rings; an application says what its state can hold."""

    cpu: Annotated[int, Meta(ge=0)] | Literal["auto", "none"] = "auto"
    """CPU of the worker; auto: the last one this process may use; none: not pinned."""
    wait: Literal["spin", "backoff", "block"] = "block"
    """What a process does that has nothing to do: ringbuf/waiting.py."""
    shadow: Annotated[int, Meta(ge=0)] | Literal["nice", "off"] = "nice"
    """Where the shadow runs: nice, beside history at a lower rank than the engine; a number, on that CPU,
    with the rank of the others; off: there is none, so no snapshot is taken and nothing compared."""
    batch: Annotated[int, Meta(ge=1, le=4096)] = 256
    command_ring: Slots = 2**13
    journal_ring: Slots = 2**16
    event_ring: Slots = 2**18
    spare_rings: Annotated[int, Meta(ge=0, le=16)] = 2
    lock_memory: bool = True
    reserve: bool = False
    """Take the memory of all segments at the start, that of the state too, so that nobody else can."""
    durability: Literal["sync", "none"] = "sync"
    """sync: nobody hears of a command before it is on the disk; none: nothing is written at all."""
    journal_segment: Slots = 2**18
    """Records of a journal file: 160 bytes each, more where an application's commands are larger."""
    snapshot_every: Annotated[int, Meta(ge=2**16)] = 5_000_000
    """Commands between two snapshots of the shadow."""

    def __post_init__(self) -> None:
        for name in ("command_ring", "journal_ring", "event_ring"):
            count = getattr(self, name)
            if count & (count - 1):
                below = 1 << (count.bit_length() - 1)
                raise ConfigError(
                    f"engine.{name} = {count}: must be a power of two; use {below} or {2 * below}"
                )
        if self.event_ring < EVENT_RING_MIN:
            raise ConfigError(
                f"engine.event_ring = {self.event_ring}: the worker needs {EVENT_RING_MIN} at least; "
                f"a reader that lags by more than the ring loses events, so take more than the largest "
                f"command can make"
            )
        if self.journal_segment < 4 * self.journal_ring:
            raise ConfigError(
                f"engine.journal_segment = {self.journal_segment}: must hold four times the journal ring "
                f"({self.journal_ring}), for what is in the ring must find room on the disk; use "
                f"{4 * self.journal_ring} or more, or lower engine.journal_ring"
            )
        if self.journal_ring < self.batch:
            raise ConfigError(
                f"engine.journal_ring = {self.journal_ring}: must hold a batch of {self.batch}; "
                f"raise it or lower engine.batch"
            )


class HistorySettings(Section, frozen=True, kw_only=True):
    """[history]: the database that an application's history is written to."""

    enabled: bool = True
    dsn: str = ""
    """Of a PostgreSQL of your own, such as postgresql://user:secret@host/name; empty: one of
    Pinion's own in the data folder."""


class KeySettings(Section, frozen=True, kw_only=True):
    """[[keys]]: a bearer token, whose it is and what it may do; an application names the roles."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    token: Annotated[str, Meta(min_length=16, max_length=256)]
    roles: Annotated[tuple[str, ...], Meta(min_length=1)]
    accounts: tuple[Annotated[int, Meta(ge=1)], ...] | Literal["all"] = ()

    @property
    def scope(self) -> tuple[str, ...] | None:
        """What of the application's the key is for, by names such as a merchant's; None: for everything."""
        return None


class InstanceSettings(Section, frozen=True, kw_only=True):
    """All settings but those that an application adds: the configuration file.

    An application adds a SocketSettings for each of its doors, in a field that has the section's name (one
    within another is `outer.inner`, None where that door is not wanted), and a section of its capacities
    where `capacities_at` says.
    """

    engine: EngineSettings = EngineSettings()
    history: HistorySettings = HistorySettings()
    doors: DoorLimits = DoorLimits()
    keys: tuple[KeySettings, ...] = ()
    capacities_at: ClassVar[str] = ENGINE_CAPACITIES

    @property
    def capacities(self) -> Section:
        """What the state can hold: whole numbers, by names that are the application's."""
        section: Any = self
        for name in self.capacities_at.split("."):
            section = getattr(section, name)
        assert isinstance(section, Section)
        return section

    def __post_init__(self) -> None:
        for idx, key in enumerate(self.keys):
            fault = token_fault(key.token)
            if fault is not None:
                raise ConfigError(
                    f"keys[{idx}].token = (not shown): has {fault}, which no request can carry; give "
                    f"16 to 256 printable characters, none of them a space at an end"
                )
        refuse_twice("keys", "name", [key.name for key in self.keys])
        refuse_twice("keys", "token", [key.token for key in self.keys], shown=False)
        listening: dict[tuple[str, int], str] = {}
        for door in sockets_of(self):
            if not door.port:
                continue
            other = listening.setdefault((door.host, door.port), door.section)
            if other != door.section:
                raise ConfigError(
                    f"{door.section}.port = {door.port}: the same as {other}.port; give the doors different "
                    f"ports, or 0 for any free one"
                )


def token_fault(token: str) -> str | None:
    """Return what keeps a token out of a request's header, None where nothing does."""
    if token != token.strip():
        return "white space at an end"
    for number, character in enumerate(token, 1):
        if not character.isprintable():
            return f"{character!r} as character {number}"
    return None


def refuse_twice(section: str, name: str, values: list[Any], shown: bool = True) -> None:
    """Raise ConfigError where two rows of a section have one value."""
    for idx, value in enumerate(values):
        if value in values[:idx]:
            given = repr(value) if shown else "(not shown)"
            raise ConfigError(
                f"{section}[{idx}].{name} = {given}: already used by {section}[{values.index(value)}]; "
                f"give each its own"
            )


class Key(Struct, frozen=True, kw_only=True):
    """What a bearer token allows, as a door sees it; accounts or scope None = all of them."""

    token: str
    name: str
    accounts: tuple[int, ...] | None
    roles: int  # bits of the application's roles
    scope: tuple[str, ...] | None = None  # names that are the application's


class DoorSettings(Struct, frozen=True, kw_only=True):
    """All that a door process is told: the one argument of its `run`."""

    data_dir: Path
    name: str  # process name, role lock and heartbeat counter
    ring_name: str  # "" for a door that sends no commands
    section: str  # of the settings; by this name instance.json tells where the door is
    option: str = ""  # of the command line, which goes before the setting of the port
    scheme: str = ""  # of its URL; "" for a process that listens nowhere
    host: str = ""
    port: int = 0
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    pages: str = ""  # section of the door whose pages may speak to this one
    pages_port: int = 0  # of that door; 0: any free one, instance.json names it
    limits: DoorLimits
    keys: tuple[Key, ...] = ()
    application: dict[str, Any] = msgspec.field(default_factory=dict)
    """What the application tells its doors, in words of its own."""

    @property
    def setting(self) -> str:
        """The setting that names the port."""
        return f"{self.section}.port"


def door_keys(keys: Iterable[KeySettings], roles: type[IntFlag]) -> tuple[Key, ...]:
    """Return the keys as the doors use them; roles : the application's, by the names of the settings."""
    return tuple(
        Key(
            token=each.token,
            name=each.name,
            accounts=None if each.accounts == "all" else tuple(each.accounts),
            roles=reduce(or_, (roles[name.upper()].value for name in each.roles)),
            scope=each.scope,
        )
        for each in keys
    )


def sockets_of(section: Section) -> Iterator[SocketSettings]:
    """Yield the sections about doors that a section has, directly or one in another."""
    for name in section.__struct_fields__:
        inner = getattr(section, name)
        if isinstance(inner, SocketSettings):
            yield inner
        if isinstance(inner, Section):
            yield from sockets_of(inner)


def socket_of(settings: InstanceSettings, section: str) -> SocketSettings | None:
    """Return the section about a door, None where that door is not wanted."""
    return next((each for each in sockets_of(settings) if each.section == section), None)


def with_ports(settings: Whole, ports: Mapping[str, int]) -> Whole:
    """Return the settings with ports that were given elsewhere (the command line), by the doors' sections."""
    for section, port in ports.items():
        if socket_of(settings, section) is None:
            raise ConfigError(
                f"{section}.port = {port}: the configuration has no such door; give it a section [{section}]"
            )
    return _with_ports(settings, ports)


def _with_ports(section: Inner, ports: Mapping[str, int]) -> Inner:
    """Return a section with the ports in it and in those within it, all at once: they are compared anew."""
    changed: dict[str, Any] = {}
    for name in section.__struct_fields__:
        inner = getattr(section, name)
        if isinstance(inner, Section):
            changed[name] = _with_ports(inner, ports)
    if isinstance(section, SocketSettings) and section.section in ports:
        changed["port"] = ports[section.section]
    return msgspec.structs.replace(section, **changed) if changed else section


def load(path: Path, kind: type[Whole]) -> Whole:
    """Read the file as settings of an application; raise ConfigError naming file, setting, value and mend."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({reason_of(error)}); give --config FILE") from error
    try:
        return parse(text, kind)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error.__cause__


def parse(text: bytes, kind: type[Whole]) -> Whole:
    """Return the settings of an application that a TOML text holds."""
    try:
        raw = msgspec.toml.decode(text)
    except RecursionError:
        raise ConfigError("not valid TOML: nested too deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}") from error
    _refuse_misplaced_capacities(raw, kind)
    _refuse_unknown(raw, kind, "")
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ConfigError):
            raise error.__cause__ from None
        raise ConfigError(_explain(str(error), raw, kind)) from error


def _refuse_misplaced_capacities(raw: Any, kind: type[InstanceSettings]) -> None:
    """Say where an application has its capacities, to whoever looks for them where others have theirs."""
    section, _, name = ENGINE_CAPACITIES.partition(".")
    table = raw.get(section)
    if kind.capacities_at != ENGINE_CAPACITIES and isinstance(table, dict) and name in table:
        raise ConfigError(f"{ENGINE_CAPACITIES}: unknown setting; they stand in [{kind.capacities_at}]")


def _refuse_unknown(table: Any, kind: Any, where: str) -> None:
    """Name the first key that `kind` does not have, and the one probably meant."""
    if not isinstance(table, dict):
        return
    fields = {each.encode_name: each.type for each in msgspec.structs.fields(kind)}
    for name, value in table.items():
        path = f"{where}{name}"
        if name not in fields:
            close = difflib.get_close_matches(name, fields, n=1)
            mend = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(fields)}"
            raise ConfigError(f"{path}: unknown setting; {mend}")
        section = _section_of(fields[name])
        if section is None:
            continue
        rows = value if isinstance(value, list) else [value]
        for idx, row in enumerate(rows):
            _refuse_unknown(row, section, f"{path}[{idx}]." if isinstance(value, list) else f"{path}.")


def _section_of(kind: Any) -> type[Section] | None:
    """Return the section class that a field holds, directly or in a tuple."""
    for each in (kind, *getattr(kind, "__args__", ())):
        if isinstance(each, type) and issubclass(each, Section):
            return each
    return None


def _words_at(kind: Any, path: str) -> list[str]:
    """Return the words that a setting takes, by its path, such as keys[...].roles[...]."""
    for name in re.findall(r"[a-z_][a-z0-9_]*", path):
        section = _section_of(kind)
        assert section is not None
        kind = next(each.type for each in msgspec.structs.fields(section) if each.encode_name == name)
    return _words_of(kind)


def _words_of(kind: Any) -> list[str]:
    """Return the words that a type admits, directly or in a tuple."""
    if get_origin(kind) is Literal:
        return [word for word in get_args(kind) if isinstance(word, str)]
    return [word for inner in get_args(kind) for word in _words_of(inner)]


def _explain(message: str, raw: Any, kind: Any) -> str:
    """Turn msgspec's `problem - at `$.a[0].b`` into `a[0].b = value: problem`, with the words it could be."""
    found = re.search(r"^(.*?)(?: - at `\$\.?(.*)`)?$", message)
    assert found is not None
    problem, path = found.group(1), found.group(2) or ""
    value: Any = raw
    for step in re.findall(r"[^.\[\]]+", path):
        if step == "...":
            break
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    if path.endswith("token"):
        value = "(not shown)"
    given = f" = {value!r}" if path and not isinstance(value, dict | list) else ""
    problem = problem.replace("`", "'").replace("Object missing required field", "missing setting")
    problem = problem[:1].lower() + problem[1:]
    if problem.startswith("invalid enum value"):
        problem += f"; there are {', '.join(repr(word) for word in _words_at(kind, path))}"
    return f"{path}{given}: {problem}" if path else problem
