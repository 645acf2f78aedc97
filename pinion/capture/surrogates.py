"""Surrogates of card numbers: the same length, ends and fitness by Luhn, another number, under a key.

    4 1 1 1 1 1 1 1 | 1 1 1 | 1 | 1 1 1 1
    kept: eight of 16    |    |   kept: four
    digits and more,     |    what the sum by Luhn leaves for this digit
    six of fewer         permuted

The permutation of x is P^-1(P(x) + 1), where P is a keyed Feistel network over the numbers of so many
digits: one to one, since each step is, and never x itself, since P(x) + 1 is not P(x). Each beginning, end,
length and rest by Luhn has a P of its own. The last digit of the middle makes the rest by Luhn what it was,
so what is valid stays valid, and what is not stays so.

A number of 12 digits has two between its ends and so ten surrogates to choose from, one of 13 a hundred, one
of 14 or 16 a thousand. Whoever knows the ends of a card has so few candidates without any capture; a
surrogate adds nothing to that without the key.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from hashlib import blake2b

from blake3 import blake3

from gateways.payments.values import is_pan, luhn_rest, passes_luhn

KEY_BYTES = 32
KEPT_LAST = 4
KEPT_FIRST, KEPT_FIRST_LONG, LONG_DIGITS = 6, 8, 16
DIGITS_MIN, DIGITS_MAX = 12, 19
ROUNDS = 6
"""Forth, and as many back."""
REMEMBERED = 1 << 16
"""Cards come again: so many surrogates are remembered."""
_FINGERPRINT = b"fingerprint of a key of surrogates"
_CANDIDATE = re.compile(r"[0-9](?:[ -]?[0-9]){11,}")
"""Where a card number may stand: digits, alone or in groups. What is within is told apart by _RUN."""
_RUN = re.compile(
    r"[0-9]{12,}"
    r"|(?<![0-9])(?:[0-9]{4}(?:[ -][0-9]{4}){2,3}(?:[ -][0-9]{1,3})?"  # as cards are printed
    r"|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5})(?![0-9])"
)
_TIME = re.compile(r"1[0-9]{12}").fullmatch
"""Milliseconds since 1970. No issuer has cards of 13 digits that begin with 1."""
_MARK_CHARS = 4
"""So many characters before a number tell whether it is the value of a member, or of a parameter."""
_PAN_MEMBER = re.compile(r'"[Pp][Aa][Nn]"\s*:\s*"?([0-9][0-9 -]{10,38}[0-9])(?![0-9])')


class Surrogates:
    """What stands for card numbers under one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key of {len(key)} bytes: give {KEY_BYTES}")
        self._key = key
        self._remembered = lru_cache(REMEMBERED)(self._made)

    @property
    def fingerprint(self) -> str:
        """What tells this key from another one, and says nothing about it."""
        return blake2b(_FINGERPRINT, key=self._key, digest_size=16).hexdigest()

    def of(self, pan: str) -> str:
        """Return the surrogate of a card number of 12 to 19 digits, whether it fits by Luhn or not."""
        if not is_pan(pan):
            raise ValueError(f"a text of {len(pan)} characters: give {DIGITS_MIN} to {DIGITS_MAX} digits")
        return self._remembered(pan)

    def text(self, body: str, pans: Collection[str] = ()) -> str:
        """Return a text with a surrogate for each card number.

        These are runs of 12 to 19 digits that fit by Luhn, also in groups as cards are printed, and what a
        member `pan` says, fit or not, wherever that stands again. Of longer runs, which may have one in
        them, all digits but the first six are scrambled.

        pans : more that are replaced though they do not fit
        """
        if _CANDIDATE.search(body) is None:
            return body
        known = pans_in(body).union(pans)

        def replaced(found: re.Match[str]) -> str:
            run = found[0]
            digits = run if run.isdigit() else run.replace(" ", "").replace("-", "")
            if len(digits) > DIGITS_MAX:
                return self._scrambled(run)
            return self._within(run, digits) if passes_luhn(digits) or digits in known else run

        def looked_into(found: re.Match[str]) -> str:
            before = body[max(0, found.start() - _MARK_CHARS) : found.start()].rstrip()
            if _TIME(found[0]) and before.endswith((":", "=")):
                return found[0]
            return _RUN.sub(replaced, found[0])

        return _CANDIDATE.sub(looked_into, body)

    def _within(self, run: str, digits: str) -> str:
        """Return a run with the digits of the surrogate, between them what was there."""
        if run == digits:
            return self.of(digits)
        new = iter(self.of(digits))
        return "".join(next(new) if each.isdigit() else each for each in run)

    def _scrambled(self, run: str) -> str:
        """Return as many digits, the first ones kept."""
        rest = blake3(run.encode(), key=self._key).digest(length=len(run) - KEPT_FIRST)
        return run[:KEPT_FIRST] + "".join(str(each % 10) for each in rest)

    def _made(self, pan: str) -> str:
        first = KEPT_FIRST_LONG if len(pan) >= LONG_DIGITS else KEPT_FIRST
        begin, middle, end = pan[:first], pan[first:-KEPT_LAST], pan[-KEPT_LAST:]
        rest, width = luhn_rest(pan), len(middle) - 1
        walk = _Feistel(self._key, f"{begin} {end} {len(pan)} {rest}", width)
        permuted = walk.back((walk.forth(int(middle[:-1])) + 1) % 10**width)
        open_begin = f"{begin}{permuted:0{width}}"
        # The digit before the last four counts once by Luhn, so it is what is left to the rest.
        check = (rest - luhn_rest(f"{open_begin}0{end}")) % 10
        return f"{open_begin}{check}{end}"


def pans_in(body: str) -> set[str]:
    """Return the digits of the members `pan` of a text."""
    found = (each.replace(" ", "").replace("-", "") for each in _PAN_MEMBER.findall(body))
    return {each for each in found if is_pan(each)}


class _Feistel:
    """A keyed permutation of the numbers of so many digits: two halves, each moved by the other in turn."""

    def __init__(self, key: bytes, purpose: str, width: int) -> None:
        self._keyed = blake2b(purpose.encode(), key=key, digest_size=16)
        half = int(10 ** (width // 2))
        self._sizes = (half * 5, half * 2) if width % 2 else (half, half)

    def forth(self, number: int) -> int:
        halves = list(divmod(number, self._sizes[1]))
        for turn in range(ROUNDS):
            side = turn % 2
            halves[side] = (halves[side] + self._moved(turn, halves[1 - side])) % self._sizes[side]
        return halves[0] * self._sizes[1] + halves[1]

    def back(self, number: int) -> int:
        halves = list(divmod(number, self._sizes[1]))
        for turn in reversed(range(ROUNDS)):
            side = turn % 2
            halves[side] = (halves[side] - self._moved(turn, halves[1 - side])) % self._sizes[side]
        return halves[0] * self._sizes[1] + halves[1]

    def _moved(self, turn: int, other: int) -> int:
        """Return by how much the value of one half moves the other."""
        keyed = self._keyed.copy()
        keyed.update(b"%d %d" % (turn, other))
        return int.from_bytes(keyed.digest())
