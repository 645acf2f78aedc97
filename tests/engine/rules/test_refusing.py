"""Rules that refuse: a reason of their own, the first that matches, and faults alike compiled and plain."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.rules.compiled import compile_set, defaults_of
from engine.rules.language.faults import RuleFault
from engine.rules.language.source import FAULT, UserRule, read
from engine.rules.loader import PlainSet
from engine.rules.samples import samples
from engine.rules.trial import tried
from engine.rules.vocabulary import INT64, Range, Vocabulary

WORDS = Vocabulary(
    fields={"px": Range(0, 2**40), "qty": Range(-5, 5), "any": INT64},
    context={"last": Range(0, 2**40), "far": Range(-70, 70), "zero": Range(0, 0)},
    constants={"BUY": 1},
    functions={},
    actions={},
    codes={},
    module="pinion.trading",
    subject="order",
    is_refusing=True,
)
HEAD = "from pinion.trading import BUY, rule\n"
COUNT = 400


def text_of(name: str, *lines: str, reason: str = "REASON", params: str = '{"limit": 3, "none": 0}') -> str:
    head = f'\n@rule("{name}", reason="{reason}", params={params})\ndef {name}(order, ctx, params):\n'
    return head + "".join(f"    {line}\n" for line in lines)


def rules_of(*texts: str) -> tuple[UserRule, ...]:
    return read(HEAD + "".join(texts), WORDS, "tried.py")


def fault_of(text: str) -> str:
    with pytest.raises(RuleFault) as raised:
        rules_of(text)
    return str(raised.value)


FAULTING = (
    ("return order.px // order.qty > params.limit",),
    ("return order.px % order.qty > 0",),
    ("return order.px < 5 or order.px // order.qty",),
    ("x = order.qty", "x //= params.none + order.px % 2", "return x == 0"),
    ("return (order.qty & 1) << min(ctx.far, 62) > 5",),
    ("return order.px >> ctx.far > 5",),
    ("far = ctx.far", "x = 1", "x <<= min(far, 61)", "return x > 100"),
    (
        "for _ in range(8):",
        "    if order.any // order.px % 3 == 1:",
        "        return True",
        "return order.qty > 4",
    ),
    ("return min(order.px // order.qty, order.px // params.none if ctx.far > 0 else 2) > 1",),
    ("x = order.px // order.qty", "return BUY if x > 2 else 1000 // x > 5"),
)


@pytest.mark.parametrize("lines", FAULTING, ids=lambda lines: lines[-1])
def test_what_cannot_be_computed_is_the_fault_of_the_rule_compiled_and_plain(lines: tuple[str, ...]) -> None:
    made = compile_set(rules_of(text_of("tried", *lines)))
    luck = np.random.default_rng(5)
    p, ctx = (samples(each.values(), COUNT, luck) for each in (WORDS.fields, WORDS.context))

    (found,) = tried(made, p, ctx)  # raises where the two differ

    assert found.faults > 0
    assert found.faults < COUNT


def test_the_first_rule_that_matches_or_faults_is_the_one_that_counts() -> None:
    rules = rules_of(
        text_of("large", "return order.qty > params.limit"),
        text_of("divides", "return order.px // order.qty > 10"),
        text_of("never", "return order.px < 0"),
        text_of("odd", "return order.px % 2"),
    )
    made, plain, params = compile_set(rules), PlainSet(rules), defaults_of(rules)
    ctx = np.zeros(3, np.int64)

    cases = {(100, 4): 1, (100, 0): -2, (100, 3): 2, (3, 3): 4, (4, 3): 0}

    for (px, qty), number in cases.items():
        asked = np.array([px, qty, 0], np.int64)
        assert (made.call(asked, ctx, params), plain.plainly(asked, ctx, params)) == (number, number)


def test_a_divisor_that_is_never_zero_needs_no_constant() -> None:
    (rule,) = rules_of(text_of("tried", "return order.px // max(ctx.last, 1) > params.limit"))

    said = [
        rule.plain(SimpleNamespace(px=8, qty=0), SimpleNamespace(last=last), SimpleNamespace(limit=3))
        for last in (0, 2, 3)
    ]

    assert said == [1, 1, 0]


def test_a_shift_too_far_is_a_fault_in_plain_python_too() -> None:
    (rule,) = rules_of(text_of("tried", "return order.px >> ctx.far"))

    said = [
        rule.plain(SimpleNamespace(px=8), SimpleNamespace(far=far), SimpleNamespace())
        for far in (3, 4, 63, 64, -1)
    ]

    assert said == [1, 0, 0, FAULT, FAULT]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (text_of("tried", "return 1 // ctx.zero"), "divides by ctx.zero, which is always 0"),
        (text_of("tried", "return 1 << max(ctx.far, 64)"), "shifts by max(ctx.far, 64)"),
        (text_of("tried", "return order.px << ctx.far"), "order.px << ctx.far can leave 64 bits"),
        (text_of("tried", "return order.any // order.qty"), "order.any // order.qty can leave 64 bits"),
        (text_of("tried", "return (-2**62 - 2**62) % order.qty"), "can leave 64 bits"),
        (text_of("tried", "return p.px"), "only order, ctx and params have attributes in a rule"),
        (text_of("tried", "return 1", reason="too low"), "reason 'too low': a reason is a text of A to Z"),
        (text_of("tried", "return 1").replace("order,", "p,"), "write `def name(order, ctx, params):`"),
        (text_of("tried", "return 1").replace("reason=", "code="), "@rule has no code"),
        (text_of("tried", "return 1").replace('reason="REASON", ', ""), "@rule says its name and reason"),
    ],
)
def test_what_is_not_taken_is_told(text: str, told: str) -> None:
    assert told in fault_of(text)


def test_a_set_knows_which_words_of_the_context_it_reads() -> None:
    (rule,) = rules_of(text_of("tried", "far = ctx.far", "return order.px > ctx.last - far"))

    assert rule.context_read == {"far", "last"}
