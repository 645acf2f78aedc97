"""Sets of rules of a fleet: those that somebody registered at one instance are registered at all of them.

    state -> who registered what -> signed -> SETS in the store -> verified ──► checked, compiled, RULESET

A set that comes from another instance goes the way of every registration: the workshop checks and compiles
its user rules beside the engine and stores their source, then a command that names the instance registers it.
Nothing is activated. What is not signed by the fleet, or cannot be registered here, is refused by name.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.payments.command_words import HASH_WORDS, SETTINGS_HASH
from engine.payments.rule_words import NO_SOURCE
from engine.payments.view.rules_view import RulesetView, RulesView
from engine.rules.stored import SourceFileError, stored_in
from gateways.fleet.moving import Store, read_answer
from gateways.fleet.scripts.rulesets import HASH, NEWEST_MAX, SETS, newest_of
from gateways.fleet.signing import Signer
from gateways.fleet.telling import EngineAwayError
from gateways.payments.door.reads import NotNowError
from gateways.payments.door.rule_workshop import RuleWorkshop
from gateways.payments.rule_forms import RuleBodyFault, RulesetBody, parameters_shown, ruleset_record

log = logging.getLogger("pinion.doors")

FROM = "fleet:"
"""Who registered a set that came from an instance: this and its name."""
BEHIND_SETS, BEHIND_S = 2, 30.0
"""An instance that lacks so many sets for so long is not ready."""
AGAIN_S = 5.0
"""Between two tries to register a set, where the first one came at a bad time."""


class SharedSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set as instances tell it each other."""

    hash: str
    instance: str
    why: str
    parameters: dict[str, int | str]
    order: list[str]
    files: dict[str, str]


class RulesetSharer:
    """Tells the sets of one instance and registers those of others.

    rules : reads the sets; folder : of their sources; tell : sends a command, returns once it is durable
    behind : told how many sets this instance lacks for too long
    """

    def __init__(
        self,
        *,
        rules: Callable[[], RulesView],
        store: Store,
        workshop: RuleWorkshop,
        folder: Path,
        tell: Callable[[Sequence[Any]], Awaitable[None]],
        count: Callable[[str], None],
        behind: Callable[[int], None],
        now: Callable[[], float],
        fleet: str,
        instance: str,
        signer: Signer,
    ) -> None:
        self._rules = rules
        self._store = store
        self._workshop = workshop
        self._folder = folder
        self._tell = tell
        self._count = count
        self._behind = behind
        self._now = now
        self._instance = instance
        self._signer = signer
        self._keys = f"pinion:{{{fleet}}}:rulesets:order", f"pinion:{{{fleet}}}:rulesets:bodies"
        self._run_id = ""
        self._since = 0
        self._wanted: dict[str, SharedSet] = {}
        """Of the newest sets those that are not registered here."""
        self._refused: set[str] = set()
        self._unsigned: set[str] = set()
        self._missing_since: float | None = None
        self._news = asyncio.Event()

    async def round(self) -> None:
        """Tell what is registered here and read what is elsewhere; raise StoreDownError, TornReadError."""
        if self._run_id != self._store.run_id:
            self._run_id, self._since = self._store.run_id, 0
        sets = self._rules().sets
        own = {each.hash for each in sets}
        told = [part for each in sets[-NEWEST_MAX:] if each.who for part in self._shared(each)]
        (answer,) = await self._store.ask([(SETS, self._keys, (self._since, *told))])
        newest = read_answer(newest_of, answer)
        for name, content in newest.bodies.items():
            if content and name not in own:
                self._take(name, content)
        missing = [each for each in newest.bodies if each not in own and each not in self._unsigned]
        self._wanted = {name: self._wanted[name] for name in missing if name in self._wanted}
        is_told = all(each in self._wanted for each in missing)
        self._since = newest.last if is_told else 0
        self._judge(len(missing))
        if self._wanted.keys() - self._refused:
            self._news.set()

    async def work(self) -> None:
        """Register what has come, one set after the other, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            for name, wanted in reversed(list(self._wanted.items())):  # the eldest first
                if name in self._refused:
                    continue
                try:
                    await self._register(wanted)
                except RuleBodyFault as fault:
                    self._refuse(name, wanted.instance, str(fault))
                except (NotNowError, EngineAwayError) as error:
                    log.warning("the set of rules %s waits to be registered: %s", name, error)
                    await asyncio.sleep(AGAIN_S)

    def _shared(self, found: RulesetView) -> tuple[str, ...] | tuple[str, bytes]:
        """Return hash and signed body of a set; nothing where its source is gone."""
        source = bytes.fromhex(found.source)
        try:
            files = dict(stored_in(self._folder, source).files) if source else {}
        except SourceFileError as error:
            log.warning("the set of rules %s is not told to the fleet: %s", found.hash, error)
            return ()
        is_own = not found.who.startswith(FROM)
        shared = SharedSet(
            hash=found.hash,
            instance=self._instance if is_own else found.who.removeprefix(FROM),
            why=found.why,
            parameters=parameters_shown(found.parameters),
            order=list(found.order),
            files=files,
        )
        return found.hash, self._signer.signed(msgspec.json.encode(shared))

    def _take(self, name: str, content: bytes) -> None:
        """Want a set that is the fleet's; refuse another one."""
        body = self._signer.opened(content)
        try:
            shared = None if body is None else msgspec.json.decode(body, type=SharedSet)
        except msgspec.MsgspecError:  # of a version that tells sets otherwise
            shared = None
        if shared is not None and shared.hash == name:
            self._wanted[name] = shared
        elif name not in self._unsigned:
            self._unsigned.add(name)
            why = (
                "its signature is missing, or that of another hash key"
                if body is None
                else "it names another"
            )
            self._refuse(name if HASH.fullmatch(name) else "(not shown)", None, why)

    async def _register(self, wanted: SharedSet) -> None:
        rules = self._rules()
        governing = rules.find(rules.governing)
        if governing is None or any(each.hash == wanted.hash for each in rules.sets):
            return
        source = await self._workshop.source_of(wanted.files) if wanted.files else NO_SOURCE
        body = RulesetBody(
            parameters=dict(wanted.parameters), order=wanted.order, files=wanted.files, why=wanted.why
        )
        record = ruleset_record(body, governing, f"{FROM}{wanted.instance}", source)
        made = record["words"][0, SETTINGS_HASH : SETTINGS_HASH + HASH_WORDS].tobytes().hex()
        if made != wanted.hash:
            raise RuleBodyFault("hash", f"here it would be {made}: the version of Pinion is another one")
        await self._tell([record[0]])
        self._count("registered")
        log.warning("registered the set of rules %s of instance %r", wanted.hash, wanted.instance)

    def _refuse(self, name: str, instance: str | None, why: str) -> None:
        self._refused.add(name)
        self._count("refused_sets")
        whose = "an unknown instance" if instance is None else f"instance {instance!r}"
        log.warning("the set of rules %s of %s is refused: %s", name, whose, why)

    def _judge(self, missing: int) -> None:
        """Note since when this instance is behind, and tell it once that is too long."""
        if missing < BEHIND_SETS:
            self._missing_since = None
        elif self._missing_since is None:
            self._missing_since = self._now()
        is_behind = self._missing_since is not None and self._now() - self._missing_since >= BEHIND_S
        self._behind(missing if is_behind else 0)
