"""`GET /v1/rules`: the sets of rules that are registered, which one governs, what each rule refused."""

from pathlib import Path
from typing import Any

from aiohttp import web

from api.live import LiveSource
from api.process.access import require_role
from api.process.callers import CALLER
from api.process.documents import Document, answer
from api.process.parameters import allow_only
from engine.rules.stored import SourceFileError, reasons_in
from engine.trading.records import Role
from engine.trading.view.rules_view import RulesetView, RulesView, rules_of
from ringbuf.seqlock import TornReadError

READERS = Role.OPERATOR | Role.VIEWER


class RuleLists:
    """The handler, on a live source; folder : of sets of rules in the data folder."""

    def __init__(self, source: LiveSource, state: Any, folder: Path) -> None:
        self._source = source
        self._state = state
        self._folder = folder

    def routes(self) -> list[web.RouteDef]:
        """Return the route."""
        return [web.get("/v1/rules", self.rules)]

    def counts(self) -> dict[tuple[int, str], tuple[int, int]]:
        """Return by set and rule how many orders it refused and could not judge; none while that changes."""
        try:
            found = rules_of(self._state, self._source.view.turn)
        except TornReadError:  # the next look at the metrics finds them
            return {}
        return {
            (each.ruleset, name): (refused, faults)
            for each in found.sets
            for (name, _), refused, faults in zip(
                _labels(self._folder, each), each.refused, each.faults, strict=False
            )
        }

    async def rules(self, request: web.Request) -> web.Response:
        """List the sets, eldest first."""
        allow_only(request, ())
        require_role(request[CALLER], READERS)
        found = await self._source.read(lambda: rules_of(self._state, self._source.view.turn))
        await self._source.until_durable(found.seq)
        return answer(rules_document(found, self._folder))


def rules_document(found: RulesView, folder: Path) -> Document:
    """Return what is told of all sets."""
    return {
        "governing": found.governing or None,
        "before": found.before or None,
        "sets": [_set_document(each, found, folder) for each in found.sets],
        "seq": found.seq,
    }


def _labels(folder: Path, each: RulesetView) -> tuple[tuple[str, str], ...]:
    """Return name and reason of each rule of a set; none where its file cannot be read."""
    try:
        return reasons_in(folder, each.source)
    except SourceFileError:
        return ()


def _set_document(each: RulesetView, found: RulesView, folder: Path) -> Document:
    counts = zip(_labels(folder, each), each.refused, each.faults, strict=False)
    return {
        "set": each.ruleset,
        "source": each.source.hex(),
        "state": "governing" if each.ruleset == found.governing else "registered",
        "rules": [
            {"rule": name, "reason": reason, "refused": refused, "faults": faults}
            for (name, reason), refused, faults in counts
        ],
        "who": each.who or None,
        "why": each.why or None,
        "registered_at_seq": each.seq,
    }
