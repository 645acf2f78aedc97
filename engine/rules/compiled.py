"""A set of rules as machine code: one C function of three arrays of int64, which returns who matched.

    rule_set(p, ctx, params) -> int64      bit r is set where rule r matched; bit 63 makes it negative

of rules that refuse the number of the first one that does, from 1, below zero where it could not compute.
`params` has PARAMS_MAX words a rule. Each rule is a function of its own that is compiled into `rule_set`;
what comes out calls nothing, allocates nothing and raises nothing. `rule_rows` runs one of the rules over
many requests, to measure it.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from blake3 import blake3
from numba import types as untyped_types

from engine.rules.language.source import MATCHED, UserRule
from engine.rules.lowered import CTX_AT, INDENT, P_AT, lowered
from engine.rules.native import Native, native
from engine.rules.vocabulary import PARAMS_MAX, RULES_MAX
from ringbuf.kernel_cache import base_folder

types: Any = untyped_types  # numba is untyped
Words = npt.NDArray[np.int64]
_POINTER, _INT = types.CPointer(types.int64), types.int64
RULE = _INT(_POINTER, _POINTER, _POINTER, _INT, _INT)
FOLDER = "rules"
FUNCTIONS = (
    ("rule_set", _INT(_POINTER, _POINTER, _POINTER)),
    ("rule_rows", _INT(_POINTER, _POINTER, _POINTER, _POINTER, _INT, _INT, _INT)),
)
_CALL = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 3)
_ROWS = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 4, *[ctypes.c_int64] * 3)


@dataclass(frozen=True, slots=True)
class CompiledSet:
    """A compiled set; its code is there while it lives."""

    rules: tuple[UserRule, ...]
    rule_set: Native
    rule_rows: Callable[[], Native] = field(repr=False)

    @property
    def address(self) -> int:
        """The address of `int64 rule_set(const int64 *p, const int64 *ctx, const int64 *params)`."""
        return self.rule_set.address

    def call(self, p: Words, ctx: Words, params: Words) -> int:
        """Return what the set finds in one request: bits, or of rules that refuse the first one's number."""
        return int(_CALL(self.address)(*_addresses(p, ctx, params)))

    def rows(self, number: int, p: Words, ctx: Words, params: Words) -> Words:
        """Return for each of many requests whether a rule matches: 0, 1 or FAULT.

        p, ctx : int64[rows, words]
        Each request waits for what the one before came to, as they do in an engine.
        """
        out = np.zeros(len(p), np.int64)
        _ROWS(self.rule_rows().address)(*_addresses(p, ctx, params, out), number, len(p), 0)
        return out


def _addresses(*arrays: Words) -> list[int]:
    """Return where arrays lie, word by word."""
    assert all(each.dtype == np.int64 and each.flags.c_contiguous for each in arrays)
    return [each.ctypes.data for each in arrays]


def compile_set(rules: Sequence[UserRule], folder: Path | None = None) -> CompiledSet:
    """Return a set compiled, or loaded where it was compiled before.

    folder : where code is kept; left out: beside the kernels
    """
    made = native(source_of(rules), RULE, FUNCTIONS, folder or base_folder() / FOLDER)
    return CompiledSet(tuple(rules), made["rule_set"](), made["rule_rows"])


def source_of(rules: Sequence[UserRule]) -> str:
    """Return the code of a set: a function of each rule, then `rule_set` and `rule_rows`."""
    assert 0 < len(rules) <= RULES_MAX
    functions = [lowered(rule, number) for number, rule in enumerate(rules)]
    whole = _first_of(len(rules)) if rules[0].vocabulary.is_refusing else _rule_set(len(rules))
    return "\n\n\n".join([*functions, whole, _rule_rows(rules)]) + "\n"


def _rule_set(count: int) -> str:
    found = [f"(rule_{number}(p, ctx, params, 0, 0) << {number})" for number in range(count)]
    if count == RULES_MAX:
        found[-1] = f"-{found[-1]}"  # the sign bit alone: as int64 and as Python's int
    lines = [
        "def rule_set(p, ctx, params):",
        "bits = 0",
        *(f"bits |= {each}" for each in found),
        "return bits",
    ]
    return f"\n{INDENT}".join(lines)


def _first_of(count: int) -> str:
    lines = ["def rule_set(p, ctx, params):"]
    for number in range(count):
        lines += [
            f"found = rule_{number}(p, ctx, params, 0, 0)",
            "if found != 0:",
            f"{INDENT}return {number + 1} if found == {MATCHED} else {-number - 1}",
        ]
    return f"\n{INDENT}".join([*lines, "return 0"])


def _rule_rows(rules: Sequence[UserRule]) -> str:
    """Return the code of a loop over requests; `zero` is 0, but the compiler does not know that."""
    words = rules[0].vocabulary
    branches = "".join(
        f"""
        {"elif" if number else "if"} number == {number}:
            found = rule_{number}(p, ctx, params, {P_AT}, {CTX_AT})"""
        for number in range(len(rules))
    )
    return f"""def rule_rows(p, ctx, params, out, number, rows, zero):
    found = 0
    for row in range(rows):
        {P_AT} = row * {len(words.fields)} + (found & zero)
        {CTX_AT} = row * {len(words.context)} + (found & zero){branches}
        out[row] = found
    return 0"""


def defaults_of(rules: Sequence[UserRule]) -> Words:
    """Return the params of a set where nobody says others, as its code reads them."""
    params = np.zeros((len(rules), PARAMS_MAX), np.int64)
    for row, rule in zip(params, rules, strict=True):
        row[: len(rule.params)] = list(rule.params.values())
    return params.ravel()


def hash_of(rules: Sequence[UserRule]) -> bytes:
    """Return 32 bytes that tell a set from every other one: sources as they stand, names, codes, params .."""
    digest = blake3()
    for rule in rules:
        parts = [
            rule.name,
            rule.code,
            rule.action,
            *(f"{name}={value}" for name, value in rule.params.items()),
        ]
        for part in (str(len(rule.params)), *parts, rule.text):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.digest()
