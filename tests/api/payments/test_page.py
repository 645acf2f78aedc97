"""The live page: one file that asks nobody else, under a policy that lets only its own script run."""

import re
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from api.payments.acts import ACTS
from api.payments.decisions import DecisionCounts
from api.payments.overview import decisions_document
from api.payments.pages import PAGE, PaymentPages, policy_of
from engine.payments.codes import BY_NUMBER
from engine.payments.records import RULES, EventKind
from engine.payments.view.live_view import LiveView
from engine.trials.kernels import CODE_TENTHS, OUTCOME_TENTHS
from engine.trials.rates import EXPECTED_MIN, TENTHS
from engine.trials.records import TrialState
from gateways.payments.rule_documents import canary_document, rulesets_document
from gateways.payments.rule_names import no_user_rules
from tests.engine.payments.history.story import Story
from tests.house_rules.project import ROOT

TEXT = (ROOT / "api/payments" / PAGE).read_text()
SCRIPT = re.findall(r"<script>(.*?)</script>", TEXT, re.DOTALL)[0]
NAMED = re.compile(r'(?:at|show|say|table|facts|fill)\("([\w-]+)"')


async def test_the_page_is_open_and_nothing_but_itself_may_run_in_it() -> None:
    unused: Any = None
    application = web.Application()
    application.add_routes(PaymentPages(unused, unused, unused).routes())
    async with TestClient(TestServer(application)) as client, client.get("/payments") as answer:
        status, headers, text = answer.status, answer.headers, await answer.text()

    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert headers["Content-Security-Policy"] == policy_of(text)
    for kind, content in (("script", SCRIPT), ("style", style)):
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_the_page_names_no_other_host_and_keeps_no_key() -> None:
    assert not re.findall(r"https?:|//\w|\bsrc=|@import|url\(|localStorage|sessionStorage|cookie", TEXT)
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", TEXT)
    assert not re.findall(r'<[^>]+ (?:style|on\w+)="', TEXT), "the policy would not let these in"


def test_every_part_that_the_script_fills_stands_on_the_page_once() -> None:
    ids = re.findall(r'\bid="([\w-]+)"', TEXT)

    assert len(ids) == len(set(ids))
    assert set(NAMED.findall(SCRIPT)) <= set(ids)


def test_what_the_script_reads_of_a_trial_and_of_sets_is_told(story: Story) -> None:
    rules = LiveView(story.state).rules()

    told = canary_document(rules.trial)
    assert set(re.findall(r"\btrial\.(\w+)", SCRIPT)) <= set(told)
    assert set(re.findall(r"\bgates\.(\w+)", SCRIPT)) <= set(told["gates"])
    of_arm = set(told["arms"]) | set(told["arms"]["control"])
    assert set(re.findall(r"\barms?\.(\w+)", SCRIPT)) - {"some"} <= of_arm
    sets = rulesets_document(rules, no_user_rules)
    assert set(re.findall(r"\bdoc\.rules\.(\w+)", SCRIPT)) <= set(sets)
    assert {"state", "why", "who", "hash", "parameters", "order", "user_rules", "source"} <= set(
        sets["rulesets"][0]
    )


def test_every_state_of_a_trial_has_a_colour() -> None:
    (colours,) = re.findall(r"const STATES = \{(.*?)\}", SCRIPT)

    assert set(re.findall(r"(\w+):", colours)) == {each.name.lower() for each in TrialState}


def test_the_page_knows_the_bounds_of_the_gates() -> None:
    told = dict(re.findall(r"(OUTCOME_BOUND|CODE_BOUND|EXPECTED_MIN) = ([\d.]+)", SCRIPT))

    assert float(told["OUTCOME_BOUND"]) * TENTHS == OUTCOME_TENTHS
    assert float(told["CODE_BOUND"]) * TENTHS == CODE_TENTHS
    assert int(told["EXPECTED_MIN"]) == EXPECTED_MIN


def test_the_buttons_are_the_acts_that_are_handed_on() -> None:
    assert set(re.findall(r'data-act="(\w+)"', TEXT)) == set(ACTS)


def test_decisions_are_told_by_code_rule_and_cohort(story: Story) -> None:
    counts = DecisionCounts()
    counts.take(story.events)

    told = decisions_document(counts)

    is_decided = (story.events["kind"] == EventKind.DECIDED) & (story.events["replayed"] == 0)
    codes = Counter(BY_NUMBER[code].name for code in story.events[is_decided]["code"].tolist())
    named = Counter(RULES[rule - 1] for rule in story.events[is_decided]["rule"].tolist() if rule)
    assert (told["codes"], told["rules"]) == (codes, named)
    assert list(told["codes"].values()) == sorted(codes.values(), reverse=True)
    assert told["cohorts"] == {"control": codes.total()}
    assert told["operations"]["capture"]["OK"] > 0
    assert told["replayed"] == counts.replayed_count
