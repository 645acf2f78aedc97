"""Rules written at random, in all that a rule may have: most are taken, some leave 64 bits."""

from random import Random
from typing import Any

from tests.engine.rules.words import WORDS

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
NUMBERS = (0, 1, 2, 3, 7, 10, 100, 1000, 3_600_000, 10**9, 2**31, 2**62, 2**63 - 1)
LOCALS = ("a", "b", "c", "größe")
DEPTH = 3


class Author:
    """Writes one rule after another; what it writes follows from its luck alone."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def lines(self) -> list[str]:
        """Return the lines of a rule."""
        known: set[str] = set()
        lines = self._block(known, 0, 1)
        if self._rng.random() < 0.2:
            lines.insert(0, '"""What is written here is not run."""')
        return [*lines, self._pick(f"return {self._expression(known, DEPTH)}", "return", "pass")]

    def _block(self, known: set[str], depth: int, times: int) -> list[str]:
        """Return some statements; known : the locals that are set here, and then behind them."""
        lines: list[str] = []
        for _ in range(self._rng.choice((1, 1, 2) if depth else (1, 2, 3))):
            lines += self._statement(known, depth, times)
        return lines

    def _statement(self, known: set[str], depth: int, times: int) -> list[str]:
        luck = self._rng.random()
        if luck < 0.25 and depth < 3:
            return self._branch(known, depth, times)
        if luck < 0.40 and depth < 3 and times < 16:
            rounds = self._rng.choice((1, 2, 3, 4))
            body = self._block(known, depth + 1, times * rounds)
            return [
                f"for _ in range({self._pick(str(rounds), 'ONE' if rounds == 1 else str(rounds))}):",
                *_in(body),
            ]
        if luck < 0.55 and known:
            name = self._rng.choice(sorted(known))
            operator = self._rng.choice(("+=", "-=", "&=", "|=", "^=", "//=", "%=", ">>="))
            operand = self._divisor() if operator in ("//=", "%=") else self._expression(known, 2)
            return [f"{name} {operator} {self._rng.randint(0, 63) if operator == '>>=' else operand}"]
        if luck < 0.58:
            return ["pass"]
        return self._assignment(known)

    def _assignment(self, known: set[str]) -> list[str]:
        names = self._rng.sample(LOCALS, self._pick(1, 1, 1, 2))
        value = self._expression(known, DEPTH)
        known |= set(names)
        if len(names) == 1 and self._rng.random() < 0.2:
            return [f"{names[0]}: int = {value}"]
        return [f"{' = '.join(names)} = {value}"]

    def _branch(self, known: set[str], depth: int, times: int) -> list[str]:
        """Return an if, with or without elif and else; one of its blocks may return."""
        ways = []
        lines = []
        words = ["if", *["elif"] * self._rng.choice((0, 0, 1)), *["else"] * self._rng.choice((0, 1))]
        for word in words:
            within = set(known)
            test = "" if word == "else" else f" {self._expression(known, 2)}"
            body = self._block(within, depth + 1, times)
            if word != "else" and self._rng.random() < 0.3:
                body.append(f"return {self._expression(within, 2)}")
            else:
                ways.append(within)
            lines += [f"{word}{test}:", *_in(body)]
        if words[-1] == "else" and ways:
            known |= set.intersection(*ways)
        return lines

    def _expression(self, known: set[str], depth: int) -> str:
        """Return a number or a condition."""
        if depth == 0 or self._rng.random() < 0.15:
            return self._leaf(known)
        left, right = self._expression(known, depth - 1), self._expression(known, depth - 1)
        luck = self._rng.random()
        if luck < 0.25:
            more = f" {self._rng.choice(COMPARISONS)} {self._leaf(known)}" if self._rng.random() < 0.3 else ""
            return f"({left} {self._rng.choice(COMPARISONS)} {right}{more})"
        if luck < 0.40:
            word = self._pick("and", "or")
            return (
                f"({left} {word} {right}{f' {word} {self._leaf(known)}' if self._rng.random() < 0.2 else ''})"
            )
        if luck < 0.48:
            return f"({left} if {self._expression(known, depth - 1)} else {right})"
        if luck < 0.56:
            return f"({self._pick('not ', '-', '+')}{left})"
        if luck < 0.66:
            more = f", {self._leaf(known)}" if self._rng.random() < 0.3 else ""
            return self._pick(f"min({left}, {right}{more})", f"max({left}, {right}{more})", f"abs({left})")
        return self._arithmetic(left, right)

    def _arithmetic(self, left: str, right: str) -> str:
        small = f"max(0, min({right}, {self._rng.choice((3, 10, 63))}))"
        bounded = f"({left} % {self._rng.choice((97, 1000, -1000))})"
        return self._pick(
            f"({left} // {self._divisor()})",
            f"({left} % {self._divisor()})",
            f"({left} // {self._divisor()})",
            f"({left} % {self._divisor()})",
            f"({left} + {right})",
            f"({left} - {right})",
            f"({left} * {right})",
            f"({bounded} * {right})",
            f"({bounded} ** {self._rng.choice((0, 1, 2, 3, 5))})",
            f"({bounded} << max(0, min({right}, {self._rng.choice((3, 40))})))",
            f"({left} >> {small})",
            f"({left} & {right})",
            f"({left} | {right})",
            f"({left} ^ {right})",
        )

    def _divisor(self) -> str:
        number = self._rng.choice((1, 2, 3, 7, 10, 97, 1000, 86_400_000, 2**40, 2**62))
        return self._pick(str(number), f"-{number}", f"({number} * 1)", "LARGE", "MINUS", "(SEVEN - 9)")

    def _leaf(self, known: set[str]) -> str:
        luck = self._rng.random()
        if luck < 0.3 and known:
            return self._rng.choice(sorted(known))
        if luck < 0.55:
            return f"p.{self._rng.choice(sorted(WORDS.fields))}"
        if luck < 0.7:
            return f"ctx.{self._rng.choice(sorted(WORDS.context))}"
        if luck < 0.78:
            return self._pick("params.limit", "params.other")
        if luck < 0.84:
            return self._pick(*WORDS.constants, 'letter("C")', "True", "False")
        return str(self._rng.choice(NUMBERS))

    def _pick(self, *of: Any) -> Any:
        return self._rng.choice(of)


def _in(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
