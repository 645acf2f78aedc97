"""Compiled sets: what they call, where they are kept, how they are loaded, by what they are told apart."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.rules.compiled import CompiledSet, compile_set, defaults_of, hash_of, source_of
from engine.rules.language.source import UserRule, read_set
from engine.rules.vocabulary import PARAMS_MAX
from ringbuf.kernel_cache import ROOT
from tests.engine.rules.words import IMPORTS, WORDS, rule_of, source

EVERYTHING = (
    "x = p.amount // 7 % 5 * (p.debt // -3 % MINUS) + abs(p.debt) ** 2",
    "for _ in range(3): x = max(x // 3, min(x, p.kind)) | 1 << p.kind & x >> 2 ^ 5",
    'return x > params.limit and (p.flag or ctx.count != letter("C")) and not p.score == 7',
)
"""One rule that has every operator."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rules")


@pytest.fixture(scope="module")
def made(folder: Path) -> CompiledSet:
    return compile_set([rule_of(*EVERYTHING)], folder)


def kept(folder: Path) -> Path:
    """Return the one file of a folder."""
    (path,) = folder.iterdir()
    return path


def test_machine_code_calls_nothing_and_refers_to_nothing(made: CompiledSet) -> None:
    for function in (made.rule_set, made.rule_rows()):
        code = function.library.inspect_llvm()

        declared = re.findall(r"^declare .*?@([\w.]+)", code, re.MULTILINE)
        outside = re.findall(r"^@\S+ = external .*", code, re.MULTILINE)
        assert "define" in code
        assert [name for name in (*declared, *outside) if not name.startswith("llvm.")] == []


def test_a_second_process_loads_and_compiles_nothing(made: CompiledSet, folder: Path) -> None:
    program = f"""
from pathlib import Path
from numba.core import event
from engine.rules.compiled import compile_set
from tests.engine.rules.test_compiled import EVERYTHING, said_by
from tests.engine.rules.words import rule_of
with event.install_recorder("numba:compile") as recorder:
    made = compile_set([rule_of(*EVERYTHING)], Path({str(folder)!r}))
print(len(recorder.buffer), said_by(made))
"""
    written = kept(folder).stat().st_mtime_ns

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["0", str(said_by(made))]
    assert kept(folder).stat().st_mtime_ns == written


def said_by(made: CompiledSet) -> int:
    """Return what a set says of a request of ones."""
    p, ctx = (np.ones(len(words), np.int64) for words in (WORDS.fields, WORDS.context))
    return made.call(p, ctx, defaults_of(made.rules))


def flipped(content: bytes) -> bytes:
    """Return a content with one bit of its object code changed."""
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-1], flipped], ids=["a byte less", "a bit flipped"]
)
def test_a_damaged_file_is_compiled_again(
    made: CompiledSet, folder: Path, damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    whole = kept(folder)
    damaged = damage(whole.read_bytes())
    (tmp_path / whole.name).write_bytes(damaged)

    again = compile_set(made.rules, tmp_path)

    assert said_by(again) == said_by(made)
    assert kept(tmp_path).read_bytes() != damaged


def test_a_folder_that_cannot_be_written_stops_nothing(made: CompiledSet, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert said_by(compile_set(made.rules, tmp_path / "file" / "folder")) == said_by(made)


def test_a_process_loads_a_set_once(made: CompiledSet, folder: Path) -> None:
    assert compile_set(made.rules, folder).address == made.address


def test_params_lie_in_the_order_of_their_rule() -> None:
    text = IMPORTS + source("pass", name="one") + source("pass", name="two", params="{'c': -7}")

    assert defaults_of(read_set({"two.py": text}, WORDS)).tolist() == [
        100, -5, *[0] * (PARAMS_MAX - 2), -7, *[0] * (PARAMS_MAX - 1),
    ]  # fmt: skip


def test_every_rule_reads_its_own_params() -> None:
    lines = ("return params.limit == 100 and params.other == -5",)
    rules = read_set({"all.py": IMPORTS + source(*lines, name="a") + source(*lines, name="b")}, WORDS)
    names: dict[str, object] = {}
    exec(source_of(rules), names)
    rule_set = names["rule_set"]
    assert callable(rule_set)

    params = defaults_of(rules).tolist()
    assert rule_set([], [], params) == 0b11
    params[PARAMS_MAX] = 3
    assert rule_set([], [], params) == 0b01


def variants() -> Iterator[list[UserRule]]:
    """Yield sets of which no two are the same."""
    one = rule_of("return p.flag")
    yield [one]
    yield [rule_of("return p.flag  # to be on the safe side")]
    yield [rule_of("return  p.flag")]
    yield [replace(one, name="other")]
    yield [replace(one, code="LOOKED_AT")]
    yield [replace(one, action="LOOK")]
    yield [replace(one, params={"limit": 100, "other": -6})]
    yield [replace(one, params={"other": -5, "limit": 100})]
    yield [replace(one, params={})]
    yield [one, one]


def test_whatever_differs_gives_another_hash() -> None:
    hashes = [hash_of(rules) for rules in variants()]

    assert len(set(hashes)) == len(hashes)
    assert {len(each) for each in hashes} == {32}


def test_neither_the_files_name_nor_blanks_at_the_end_of_lines_change_the_hash() -> None:
    text = IMPORTS + source("return p.flag")
    moved = "\r\n\r\n" + text.replace("\n", "   \r\n")

    assert hash_of(read_set({"a.py": text}, WORDS)) == hash_of(read_set({"b.py": moved}, WORDS))
