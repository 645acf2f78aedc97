"""What no rule may have is refused by line and reason, and the reason says what to write instead."""

from pathlib import Path

import pytest

from engine.rules.language.faults import RuleFault
from engine.rules.language.source import judge, read, read_set
from engine.rules.vocabulary import PARAM, PARAMS_MAX, RULES_MAX
from tests.engine.rules.words import IMPORTS, PARAMS, WORDS, file_of, rule_of, source

BODIES = {
    "a while loop": ("while p.flag: pass", "write `for _ in range(N)`"),
    "a loop over something": ("for _ in p.amount: pass", "must read `for _ in range(N)`"),
    "a loop that counts": ("for i in range(3): pass", "must read `for _ in range(N)`"),
    "a loop with else": ("for _ in range(3): pass\n    else: pass", "without else"),
    "a loop as long as a field": ("for _ in range(p.kind): pass", "give range one constant from 1 to 64"),
    "a loop as long as a local": ("x = 3\n    for _ in range(x): pass", "give range one constant"),
    "a loop of 65": ("for _ in range(65): pass", "give range one constant from 1 to 64"),
    "a loop of none": ("for _ in range(0): pass", "give range one constant from 1 to 64"),
    "a loop with a step": ("for _ in range(0, 9): pass", "give range one constant from 1 to 64"),
    "loops that multiply": (
        "for _ in range(9):\n        for _ in range(8): pass",
        "a line may run 64 times at most",
    ),
    "many loops of one": (
        "".join(f"{'    ' * depth}for _ in range(1):\n    " for depth in range(5)) + "    " * 5 + "pass",
        "in 4 loops at most",
    ),
    "break": ("for _ in range(3): break", "keep in a local whether to go on"),
    "continue": ("for _ in range(3): continue", "ask with if"),
    "try": ("try: pass\n    except: pass", "nothing in a rule can fail"),
    "with": ("with p: pass", "a rule opens nothing"),
    "raise": ("raise p", "return instead"),
    "assert": ("assert p.flag", "return instead"),
    "an import": ("import os", "imports stand at the beginning"),
    "an import of ours": ("from pinion import ONE", "imports stand at the beginning"),
    "global": ("global x", "a rule changes nothing outside"),
    "nonlocal": ("nonlocal x", "a rule changes nothing outside"),
    "a function": ("def g(): pass", "write its lines where they are needed"),
    "a coroutine": ("async def g(): pass", "write its lines where they are needed"),
    "a class": ("class G: pass", "a rule has numbers only"),
    "del": ("x = 1\n    del x", "leave the local as it is"),
    "match": ("match p.kind:\n        case 1: pass", "use if and elif"),
    "a line that does nothing": ("p.amount", "set a local, or return it"),
    "a second docstring": ("'one'\n    'two'", "a rule knows numbers only"),
    "a list": ("return [1]", "compare number by number"),
    "a tuple": ("return 1, 2", "set one local at a time"),
    "two locals at once": ("x, y = 1, 2", "set one local at a time"),
    "a dict": ("return {}", "use if and elif"),
    "a set": ("return {1}", "compare number by number"),
    "a text": ("return 'x'", "a rule knows numbers only"),
    "bytes": ("return b'x'", "a rule knows numbers only"),
    "None": ("return None", "a value not given is -1"),
    "dots": ("return ...", "a rule knows numbers only"),
    "an f-string": ("return f'{p}'", "a rule knows numbers only"),
    "a lambda": ("return (lambda: 1)", "write its expression where it is needed"),
    "a walrus": ("return (x := 1)", "set the local on a line before"),
    "an item": ("return p[0]", "a rule has only numbers"),
    "a comprehension": ("return [x for x in p]", "write `for _ in range(N)`"),
    "a generator": ("return sum(x for x in p)", "calls sum"),
    "yield": ("yield 1", "a rule returns once"),
    "a float": ("return p.amount > 1.5", "whole numbers only"),
    "a complex number": ("return 1j", "whole numbers only"),
    "a fraction": ("return p.amount / 2", "use `//`"),
    "a matrix product": ("return p.amount @ 2", "a rule has no matrices"),
    "bit inversion": ("return ~p.amount", "write `-1 - x`"),
    "in": ("return p.kind in p", "compare number by number"),
    "not in": ("return p.kind not in p", "compare number by number"),
    "is": ("return p.kind is ONE", "use `==`"),
    "is not": ("return p.kind is not ONE", "use `!=`"),
    "a call": ("return len(p)", "calls len; a rule can call letter, min, max, abs"),
    "a call nearly known": ("return mim(1, 2)", "did you mean min?"),
    "a method": ("return p.amount.bit_length()", "calls p.amount.bit_length"),
    "eval": ("return eval('1')", "calls eval"),
    "min of one": ("return min(p.amount)", "min takes two numbers or more"),
    "abs of two": ("return abs(1, 2)", "abs takes one number"),
    "max with a word": ("return max(1, 2, key=3)", "max takes two numbers or more"),
    "a spread operand": ("return max(*p)", "write each one out"),
    "range as a number": ("return range(3)", "calls range"),
    "letter of a number": ("return letter(5)", 'letter takes one text that is written out, as letter("..")'),
    "letter of nothing": ("return letter()", "letter takes one text"),
    "letter of a word": ("return letter(text='A')", "letter takes one text"),
    "letter of two": ('return letter("AB")', 'letter("AB"): give one capital, such as "C"'),
    "a function as a number": ("return letter", "letter is no number here"),
    "an action as a number": ("return STOP", "STOP is no number here"),
    "the request as a number": ("return p", "name what you mean, as `p.NAME`"),
    "a field that is not there": ("return p.amuont", "p has no amuont (did you mean amount?)"),
    "a context that is not there": ("return ctx.x", "ctx has no x; it has count, sum, age"),
    "a param that is not there": ("return params.limits", "params has no limits (did you mean limit?)"),
    "a field of a field": ("return p.amount.real", "only p, ctx and params have attributes"),
    "a field of a local": ("x = 1\n    return x.real", "only p, ctx and params have attributes"),
    "a global": ("return threshold", "a rule reads no globals"),
    "its own name": ("return tried", "a rule reads no globals"),
    "the loop's counter": ("for _ in range(3): x = _", "a rule reads no globals"),
    "a counter of its own": ("_ = 3", "counts the rounds of loops"),
    "a constant nearly known": ("return SEVN", "did you mean SEVEN?"),
    "a local set on one path": ("if p.flag: x = 1\n    return x", "x is not set on every path"),
    "a local set later": ("y = x\n    x = 1", "x is not set on every path"),
    "a local counted up from nothing": ("x += 1", "x is not set on every path"),
    "a local without a value": ("x: int", "x gets no value; write `x = 0`"),
    "setting a field": ("p.amount = 1", "a rule sets its own locals only"),
    "setting an item": ("p[0] = 1", "a rule has only numbers"),
    "setting a constant": ("ONE = 2", "ONE means something else in rules"),
    "setting the request": ("p = 1", "p means something else in rules"),
    "setting min": ("min = 1", "min means something else in rules"),
    "a line behind a return": ("return 1\n    x = 1", "nothing leads to this line; delete it"),
    "a line behind two returns": ("if p.flag: return 1\n    else: return 0\n    x = 1", "nothing leads"),
    "division by a field": ("return p.amount // p.score", "divide by a constant, or multiply the other side"),
    "modulo by a local": ("x = 2\n    return p.amount % x", "divide by a constant"),
    "division by a param": ("return p.amount // params.limit", "divide by a constant"),
    "division by zero": ("return p.amount // 0", "divide by a constant that is not 0"),
    "modulo by zero": ("return p.amount % (ONE - 1)", "divide by a constant that is not 0"),
    "division in place": ("x = 1\n    x //= p.kind", "divide by a constant"),
    "a power of a field": ("return 2 ** p.kind", "the exponent must be a constant from 0 to 63"),
    "a power below zero": ("return 2 ** -1", "the exponent must be a constant from 0 to 63"),
    "a tower": ("return 9 ** 9 ** 9", "the exponent must be a constant from 0 to 63"),
    "a shift below zero": ("return 1 << p.score", "as max(0, min(p.score, 63)) does"),
    "a wide shift": ("return 1 >> 64", "shifts by 64; that must lie from 0 to 63"),
    "a great literal": ("return 9223372036854775808", "9223372036854775808 can leave 64 bits"),
    "a great sum": (
        "return p.account + 1",
        "p.account + 1 can leave 64 bits: p.account is 1 to 9223372036854775807 and 1; bound an operand",
    ),
    "a great product": (
        "return p.amount * params.limit",
        "p.amount is 1 to 999999999999 and params.limit is -1000000000000 to 1000000000000",
    ),
    "a great product in place": ("x = p.amount\n    x *= x", "x is 1 to 999999999999 and x is"),
    "a negated least": ("return -p.any", "-p.any can leave 64 bits"),
    "the size of the least": ("return abs(p.any)", "abs(p.any) can leave 64 bits"),
    "the least divided by minus one": ("return p.any // -1", "p.any // -1 can leave 64 bits"),
    "a great shift": ("return p.amount << 30", "p.amount << 30 can leave 64 bits"),
    "a great power": ("return p.amount ** 2", "p.amount ** 2 can leave 64 bits"),
    "growth in a loop": ("x = 1\n    for _ in range(64): x *= 2", "x * 2 can leave 64 bits"),
    "growth in the last round": ("x = 2\n    for _ in range(62): x *= 2", "x * 2 can leave 64 bits"),
    "growth on one path": (
        "x = 1\n    if p.flag: x = p.account\n    return x + 1",
        "x + 1 can leave 64 bits: x is 1 to 9223372036854775807",
    ),
    "growth in a part that may not run": ("return p.flag and p.any - 1", "p.any - 1 can leave 64 bits"),
    "a comparison's operand": ("return 0 < p.amount < p.any * 2", "p.any * 2 can leave 64 bits"),
    "a condition's operand": ("return 1 if p.any * 2 else 0", "p.any * 2 can leave 64 bits"),
}  # fmt: skip


def fault_of(text: str) -> RuleFault:
    """Return the fault of a file; the test fails where it has none."""
    with pytest.raises(RuleFault) as refused:
        read(text, WORDS, "tried.py")
    return refused.value


@pytest.mark.parametrize(("body", "reason"), BODIES.values(), ids=BODIES)
def test_what_is_no_integer_code_is_refused_with_its_mend(body: str, reason: str) -> None:
    fault = fault_of(file_of(body))

    assert reason in fault.reason
    assert fault.rule == "tried"
    assert 4 <= fault.line <= 4 + body.count("\n")


@pytest.mark.parametrize(
    ("body", "line"),
    [("x = 1\n    y = 2\n    return z", 6), ("if p.flag:\n        x = (1 +\n            p.any * 2)", 6)],
)
def test_a_fault_tells_the_line_in_the_file(body: str, line: int) -> None:
    fault = fault_of(file_of(body))

    assert fault.line == line
    assert str(fault).startswith(f"tried.py:{line}: rule tried: ")


SAID = "code='STOPPED', action=STOP"
TAKES = "def f(p, ctx, params): pass"
HEADS = {
    "no decorator": (TAKES, "has one decorator"),
    "another decorator": (f"@cache\n{TAKES}", "the one decorator is @rule("),
    "two decorators": ("@cache\n" + source("pass"), "has one decorator"),
    "a bare decorator": (f"@rule\n{TAKES}", "the one decorator is @rule("),
    "no name": (f"@rule(code='STOPPED', action=STOP)\n{TAKES}", "says its name, code"),
    "no code": (f"@rule('f', action=STOP)\n{TAKES}", "says its name, code and action"),
    "no action": (f"@rule('f', code='STOPPED')\n{TAKES}", "says its name, code and action"),
    "too much": (f"@rule('f', 2, code='STOPPED', action=STOP)\n{TAKES}", "says its name"),
    "another word": (
        f"@rule('f', code='STOPPED', action=STOP, parms=1)\n{TAKES}",
        "@rule has no parms (did you mean params?)",
    ),
    "a spread": (f"@rule('f', **x)\n{TAKES}", "@rule has no **"),
    "a name with capitals": (f"@rule('F', code='STOPPED', action=STOP)\n{TAKES}", "a to z"),
    "a name that is no text": (f"@rule(f, code='STOPPED', action=STOP)\n{TAKES}", "a to z"),
    "a long name": (source("pass", name="f" * 49), "48 characters at most"),
    "a name that is built in": (source("pass", name="built_in"), "a rule that is built in"),
    "another code": (
        f"@rule('f', code='LOOKED_AT', action=STOP)\n{TAKES}",
        'the code of STOP is STOPPED; write code="STOPPED"',
    ),
    "an action in quotes": (
        f"@rule('f', code='STOPPED', action='STOP')\n{TAKES}",
        "there are STOP, LOOK, written without quotes",
    ),
    "params as a list": (source("pass", params="[1]"), "params are a dict"),
    "a param that is no number": (source("pass", params="{'a': 'b'}"), "a rule knows numbers only"),
    "a param that is no constant": (source("pass", params="{'a': p.amount}"), "give a whole number"),
    "a param that is a fraction": (source("pass", params="{'a': 0.5}"), "whole numbers only"),
    "a great param": (source("pass", params=f"{{'a': {PARAM.most + 1}}}"), f"to {PARAM.most}"),
    "a param twice": (source("pass", params="{'a': 1, 'a': 2}"), "param a is given twice"),
    "a param whose name is no text": (source("pass", params="{1: 1}"), "its name is a text"),
    "a param whose name is a word of Python": (source("pass", params="{'if': 1}"), "its name is a text"),
    "spread params": (source("pass", params="{**x}"), "param **"),
    "many params": (
        source("pass", params=str({f"a{number}": number for number in range(PARAMS_MAX + 1)})),
        f"{PARAMS_MAX} at most",
    ),
    "an argument missing": (f"@rule('f', {SAID})\ndef f(p, ctx): pass", "def name(p, ctx, p"),
    "an argument by another name": (
        f"@rule('f', {SAID})\ndef f(q, ctx, params): pass",
        "a rule takes p, ctx, params",
    ),
    "a default": (
        f"@rule('f', {SAID})\ndef f(p, ctx, params=1): pass",
        "a rule takes p, ctx, params and no defaults",
    ),
    "more arguments": (
        f"@rule('f', {SAID})\ndef f(p, ctx, params, *rest): pass",
        "a rule takes p, ctx, params",
    ),
    "a function named like a constant": (
        f"@rule('f', {SAID})\ndef ONE(p, ctx, params): pass",
        "ONE means something else in rules",
    ),
    "two functions of one name": (
        source("pass", name="f") + source("pass", name="f").replace('"f"', '"g"'),
        "which this one would replace",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), HEADS.values(), ids=HEADS)
def test_a_head_that_says_too_little_or_too_much_is_refused(text: str, reason: str) -> None:
    assert reason in fault_of(IMPORTS + text).reason


FILES = {
    "nothing": ("", "holds no rule"),
    "only imports": (IMPORTS, "holds no rule"),
    "no Python": ("def", "is no Python"),
    "half a line": (IMPORTS + "@rule(", "is no Python"),
    "a null": ("\0", "null bytes"),
    "half a character": ("\ud800", "cannot be read as Python"),
    "a number of many digits": (file_of("return 0x" + "f" * 20_000), "of thousands of digits can leave 64"),
    "a count of many digits": (file_of(f"for _ in range(0x{'f' * 20_000}): pass"), "thousands of digits"),
    "many digits outside a rule": ("x = 0x" + "f" * 20_000, "a number of thousands of digits"),
    "many digits as a param": (IMPORTS + source("pass", params=f"{{'a': 0x{'f' * 9999}}}"), "thousands of"),
    "half a character as a name": (IMPORTS + source("pass").replace('"tried"', '"\\ud800"'), "a to z"),
    "many brackets": ("(" * 5000, "is no Python"),
    "many minuses": ("-" * 100_000 + "1", "cannot be read as Python"),
    "a sum of many terms": (file_of("return " + " + ".join(["p.kind"] * 3000)), "into rules of their own"),
    "a deep expression": (file_of("return " + "-" * 80 + "p.kind"), "nested more than 64 deep"),
    "a long rule": (file_of(*["x = p.amount + 1"] * 400), "more than 2000 parts"),
    "a long file": (" " * 300_000, "more than 262144 characters"),
    "an import of something": ("import os\n" + file_of("pass"), "`import os`: a file of rules holds"),
    "an import from elsewhere": ("from os import path\n" + file_of("pass"), "a file of rules holds"),
    "an import of all": ("from pinion import *\n" + file_of("pass"), "pinion has no *"),
    "a relative import": ("from .pinion import rule\n" + file_of("pass"), "a file of rules holds"),
    "an import of what is not for rules": ("from pinion import simulate", "pinion has no simulate for rules"),
    "an import under another name": ("from pinion import ONE as one", "leave out `as`"),
    "an import behind a rule": (file_of("pass") + "from pinion import ONE", "a file of rules holds"),
    "a constant of its own": ("X = 1\n" + file_of("pass"), "belongs into a rule, or into its params"),
    "a call": ("print(1)\n" + file_of("pass"), "`print(1)`: a file of rules holds"),
    "a class": ("class A: pass\n" + file_of("pass"), "a file of rules holds"),
    "a text that is no docstring": (file_of("pass") + "'x'", "a file of rules holds"),
    "rule not imported": (source("pass"), "rule is not imported"),
    "an action not imported": ("from pinion import rule\n" + source("pass"), "STOP is not imported"),
    "a constant not imported": (
        "from pinion import rule, STOP\n" + source("return ONE"),
        "ONE is not imported; write `from pinion import ONE`",
    ),
    "a function not imported": (
        "from pinion import rule, STOP\n" + source('return letter("A")'),
        "letter is not imported",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), FILES.values(), ids=FILES)
def test_a_file_that_holds_something_else_is_refused(text: str, reason: str) -> None:
    assert reason in fault_of(text).reason


@pytest.mark.parametrize("terms", [100, 3000])
def test_an_expression_that_is_too_long_is_named_by_its_rule_and_line(terms: int) -> None:
    long = source("x = 1", "return " + " + ".join(["p.kind"] * terms), name="long")

    fault = fault_of(IMPORTS + source("pass", name="before") + long + source("pass", name="behind"))

    assert fault.rule == "long"
    wanted = (IMPORTS + source("pass", name="before") + long).splitlines()
    assert wanted[fault.line - 1].strip().startswith("return p.kind + ")


def test_every_rule_of_a_set_tells_its_first_fault() -> None:
    first = IMPORTS + source("return x", "return y", name="one") + source("return 1.5", name="two")
    second = IMPORTS + source("return p.amount", name="three") + source("import os", name="four")

    rules, faults = judge({"a.py": first, "b.py": second}, WORDS)

    assert [rule.name for rule in rules] == ["three"]
    assert [(each.file_name, each.rule) for each in faults] == [
        ("a.py", "one"), ("a.py", "two"), ("b.py", "four"),
    ]  # fmt: skip


def test_a_name_is_unique_over_all_files_of_a_set() -> None:
    with pytest.raises(RuleFault, match=r"b\.py:3: rule tried: a\.py:3 has a rule of this name; rename one"):
        read_set({"a.py": file_of("pass"), "b.py": file_of("pass")}, WORDS)


def test_a_set_holds_64_rules_and_no_more() -> None:
    text = IMPORTS + "".join(source("pass", name=f"r{number}") for number in range(RULES_MAX))
    assert len(read(text, WORDS, "all.py")) == RULES_MAX

    with pytest.raises(RuleFault, match=r"rule last: stands behind 64 rules"):
        read_set({"all.py": text, "last.py": IMPORTS + source("pass", name="last")}, WORDS)


def test_nothing_of_a_file_is_run_while_it_is_judged(tmp_path: Path) -> None:
    bombs = ["1 / 0\n", "raise SystemExit\n", f"open({str(tmp_path)!r} + '/made', 'w')\n"]

    for bomb in bombs:
        for text in (bomb + file_of("pass"), IMPORTS + source("pass", params=f"{{'a': {bomb.strip()}}}")):
            assert judge({"bomb.py": text}, WORDS)[1]
    head = f"@rule('f', {SAID})\ndef f(p: 1 / 0, ctx, params) -> 1 / 0:\n"
    annotated = f"{IMPORTS}{head}    x: 1 / 0 = 3\n    return x"
    (taken,) = read(annotated, WORDS, "annotated.py")

    assert taken.plain(None, None, None)
    assert not list(tmp_path.iterdir())


def test_a_rule_without_faults_is_told_with_its_head() -> None:
    rule = rule_of("return p.amount > params.limit")

    assert (rule.name, rule.code, rule.action) == ("tried", "STOPPED", "STOP")
    assert dict(rule.params) == {"limit": 100, "other": -5}
    assert rule.text == source("return p.amount > params.limit").rstrip()
    assert PARAMS in rule.text
