"""The words of payments' rules: each means what it means in requests, records and the engine."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import pinion
from engine.payments.codes import BY_NAME, CodeRow
from engine.payments.countries import country_capitals
from engine.payments.currencies import CURRENCIES
from engine.payments.kernels.rows import DISTINCT_MAX
from engine.payments.kernels.state import SCALARS
from engine.payments.kernels.windows import COUNT_MAX
from engine.payments.records import COMMAND, RULES
from engine.payments.rules.vocabulary import CONTEXT, FIELDS, VOCABULARY
from engine.rules.language.source import read
from engine.rules.vocabulary import INT64_MAX
from gateways.payments.form import AVS_RESULTS, CARD_TYPES, CHANNELS, OPS, SCORE_MAX
from ringbuf.kernel_cache import ROOT

MADE_OF_OTHERS = {"op", "sca", "allow_partial", "explain", "ts_ms"}
OF_RULES = ("merchant_daily", "scheme_retry")
EXAMPLE = """\
from pinion import rule, DECLINE
@rule("round_night", code="USER_RULE", action=DECLINE, params={"max": 50000})
def round_night(p, ctx, params):
    hour = p.ts_ms // 3600000 % 24
    return hour < 5 and p.amount > params.max and p.amount % 10000 == 0
"""


def test_every_word_of_a_request_is_a_constant() -> None:
    for words in (OPS, CHANNELS, CARD_TYPES, AVS_RESULTS):
        for word, number in words.items():
            assert VOCABULARY.constants[word.upper()] == number == getattr(pinion, word.upper())


def test_pinion_has_every_name_that_a_rule_may_import() -> None:
    assert {*VOCABULARY.names, "rule"} <= set(pinion.__all__)
    assert {name: getattr(pinion, name) for name in VOCABULARY.actions} == VOCABULARY.actions


def test_fields_are_those_of_the_record_and_fit_into_it() -> None:
    for name, (least, most) in FIELDS.items():
        if name not in MADE_OF_OTHERS:
            kind = COMMAND[name]
            bits = 8 * kind.itemsize
            assert -(2 ** (bits - 1)) <= least
            assert most <= 2 ** (bits - 1) - 1


def test_ranges_are_those_of_the_door_and_of_the_engine() -> None:
    assert FIELDS["score"].most == SCORE_MAX
    assert FIELDS["exponent"].most == max(each.exponent for each in CURRENCIES.values())
    assert FIELDS["ts_ms"].most == INT64_MAX // 10**6
    assert CONTEXT["device_cards_24h"].most == DISTINCT_MAX
    assert CONTEXT["card_1m"].most == COUNT_MAX + 1
    assert CONTEXT["card_declines_1h"].most == COUNT_MAX


def test_context_has_the_numbers_of_the_windowed_rules_in_their_order() -> None:
    first, last = (RULES.index(name) for name in OF_RULES)

    assert tuple(CONTEXT)[: last - first + 1] == RULES[first : last + 1]
    (context,) = (each[1] for each in SCALARS if each[0] == "context")
    known_otherwise = {"mcc"}
    assert set(CONTEXT) - known_otherwise <= set(context.names)


def test_no_user_rule_has_the_name_of_a_base_rule() -> None:
    assert set(RULES) <= VOCABULARY.taken


@pytest.mark.parametrize("code", ["REVIEW", "SCA_REQUIRED"])
def test_the_codes_of_actions_are_codes(code: str) -> None:
    assert isinstance(BY_NAME[code], CodeRow)


def test_countries_and_currencies_are_their_numbers() -> None:
    assert country_capitals(pinion.country("DE")) == "DE"
    assert pinion.currency("EUR") == 978


@pytest.mark.parametrize("wrong", ["", "D", "de", "DEU", "4E", "ÄÖ"])
def test_what_is_no_country_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="two capitals"):
        pinion.country(wrong)


@pytest.mark.parametrize("wrong", ["", "eur", "XAU", "XXX", "EURO"])
def test_what_is_no_currency_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="letters of ISO 4217"):
        pinion.currency(wrong)


def test_a_file_of_rules_is_plain_python_that_loads_no_kernel() -> None:
    program = f"{EXAMPLE}\nimport sys\nfrom types import SimpleNamespace as N\n" + (
        "print(round_night(N(ts_ms=0, amount=70000), N(), N(max=5)), *sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    answer, *loaded = done.stdout.split()
    assert answer == "True"
    assert [name for name in loaded if name.startswith(("numba", "numpy", "ringbuf", "gateways"))] == []


def test_the_example_is_a_rule() -> None:
    (rule,) = read(EXAMPLE, VOCABULARY, "example.py")

    assert rule.plain(SimpleNamespace(ts_ms=0, amount=70_000), None, SimpleNamespace(max=5))
    assert not rule.plain(SimpleNamespace(ts_ms=0, amount=70_001), None, SimpleNamespace(max=5))
