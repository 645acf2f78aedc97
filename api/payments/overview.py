"""All that the page of payments shows, as one document: decisions, rules, the trial, latency, status."""

from collections import Counter
from typing import Any

from aiohttp import web

from api.payments.decisions import DecisionCounts, operation_name, rule_family
from api.payments.readers import require_reads_all
from api.process.callers import CALLER
from api.process.documents import Document, answer
from api.process.live import DurableSource
from api.process.parameters import allow_only
from api.process.status import StatusReport
from engine.payments.codes import BY_NUMBER
from engine.payments.records import Role
from engine.payments.view.live_view import LiveView
from engine.payments.view.rules_view import ARMS, RulesView
from engine.settings.config import Key
from gateways.payments.rule_documents import canary_document, rulesets_document
from gateways.payments.rule_names import UserNames

NS_PER_MS = 1_000_000


class Overview:
    """The handler of the document.

    instance : its name
    """

    def __init__(
        self,
        view: LiveView,
        source: DurableSource[LiveView],
        status: StatusReport,
        counts: DecisionCounts,
        instance: str,
        user_names: UserNames,
    ) -> None:
        self._view = view
        self._source = source
        self._status = status
        self._counts = counts
        self._instance = instance
        self._user_names = user_names

    def routes(self) -> list[web.RouteDef]:
        """Return every route of this file."""
        return [web.get("/v1/overview", self.overview)]

    async def overview(self, request: web.Request) -> web.Response:
        """Return the document, once what it shows of the rules is durable."""
        key = require_reads_all(request[CALLER])
        allow_only(request, ())
        rules = await self._source.read(self._view.rules)
        await self._source.until_durable(self._view.seq)
        shown = overview_document(
            key, self._counts, rules, rulesets_document(rules, self._user_names), self._status
        )
        return answer({"instance": self._instance} | shown)


def overview_document(
    key: Key, counts: DecisionCounts, rules: RulesView, sets: Document, status: StatusReport
) -> Document:
    """Return what stands; key : of whoever reads it; sets : the sets of rules as they are shown."""
    of_instance = status.document()
    return {
        "now_ms": of_instance["eng_ts"] // NS_PER_MS,
        "key": {"name": key.name, "may_change_rules": bool(key.roles & Role.RISK)},
        "decisions": decisions_document(counts),
        "rules": sets,
        "canary": canary_document(rules.trial),
        "latency": {
            name: {each: stage[each] for each in ("meaning", "count", "percentiles_ns")}
            for name, stage in status.latency()["stages"].items()
        },
        "status": of_instance,
    }


def decisions_document(counts: DecisionCounts) -> dict[str, Any]:
    """Return what was decided since this process began, by code, by rule and by cohort."""
    codes: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    cohorts: Counter[str] = Counter()
    for (code, rule, cohort), count in counts.decisions.items():
        codes[BY_NUMBER[code].name] += count
        cohorts[ARMS[cohort]] += count
        if rule:
            rules[rule_family(rule)] += count
    operations: dict[str, dict[str, int]] = {}
    for (op, code), count in sorted(counts.operations.items()):
        operations.setdefault(operation_name(op), {})[BY_NUMBER[code].name] = count
    return {
        "codes": dict(codes.most_common()),
        "rules": dict(rules.most_common()),
        "cohorts": dict(cohorts),
        "operations": operations,
        "replayed": counts.replayed_count,
    }
