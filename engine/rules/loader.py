"""Loads the sets that kernels ask for: from what was offered to this process, or the folders it was given.

A kernel that asks cannot be told that there is nothing: it would decide otherwise than the journal says. So
where a source is missing or changed the process ends at once, by the way that it was given for that.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import numpy as np

from engine.rules import loaded
from engine.rules.compiled import Words, compile_set, defaults_of
from engine.rules.language.source import MATCHED, UserRule
from engine.rules.loaded import LoadedSet
from engine.rules.params import param_key
from engine.rules.store import read_source, source_hash
from engine.rules.stored import CODE, HASH_BYTES, SourceFileError
from engine.rules.vocabulary import PARAMS_MAX, Vocabulary
from ringbuf.kernel import COMPILED

WORD_BYTES = 8
CONTEXT_BITS = 64
End = Callable[[str], NoReturn]


class PlainSet:
    """A set as plain Python functions."""

    def __init__(self, rules: Sequence[UserRule]) -> None:
        self._rules = rules

    def plainly(self, p: Words, ctx: Words, params: Words) -> int:
        """Return what compiled code does: which rules match, or the number of the first that refuses."""
        words = self._rules[0].vocabulary
        asked = SimpleNamespace(**dict(zip(words.fields, p.tolist(), strict=True)))
        beside = SimpleNamespace(**dict(zip(words.context, ctx.tolist(), strict=True)))
        bits = 0
        for number, rule in enumerate(self._rules):
            values = params[number * PARAMS_MAX : number * PARAMS_MAX + len(rule.params)].tolist()
            own = SimpleNamespace(**dict(zip(rule.params, values, strict=True)))
            found = rule.plain(asked, beside, own)
            if words.is_refusing and found:
                return number + 1 if found == MATCHED else -number - 1
            bits |= found << number
        return int(np.uint64(bits).view(np.int64))


class _Sources:
    """Where this process finds rules."""

    def __init__(self) -> None:
        self.offered: dict[bytes, tuple[UserRule, ...]] = {}
        self.folders: dict[Path, tuple[Vocabulary, End]] = {}


_sources = _Sources()


def offer(rules: Sequence[UserRule]) -> bytes:
    """Let kernels of this process find a set that is stored nowhere; return its hash."""
    source = source_hash(rules)
    _sources.offered[source] = tuple(rules)
    return source


def offered(source: bytes) -> tuple[UserRule, ...]:
    """Return the rules of a set that was offered to this process; none where it was not."""
    return _sources.offered.get(source, ())


def load_from(folder: Path, vocabulary: Vocabulary, end: End) -> None:
    """Let kernels of this process find the sets of a folder; end : what to do where one is not there."""
    _sources.folders[folder] = vocabulary, end


def load_once(first: int, second: int) -> None:
    """Load the set of a hash unless it is there."""
    rows = loaded.TABLE.reshape(loaded.ROWS, loaded.ROW_WORDS)[:, loaded.HASH : loaded.HASH + 2]
    if not (rows == (first, second)).all(axis=1).any():
        load(first, second)


def load(first: int, second: int) -> int:
    """Fill a row with the set of a hash, compiled or loaded; return the row."""
    source = np.array([first, second], np.int64).tobytes()
    rules, code = _found(source)
    address = compile_set(rules, code).address if COMPILED else 0
    keys = np.zeros((len(rules), PARAMS_MAX), np.int64)
    for row, rule in zip(keys, rules, strict=True):
        row[: len(rule.params)] = [param_key(rule.name, name) for name in rule.params]
    asking = [_asking(rules, action) for action in rules[0].vocabulary.actions]
    own = LoadedSet(PlainSet(rules), asking, _reading(rules))
    return loaded.fill((first, second), address, (defaults_of(rules), keys.ravel()), own)


def _found(source: bytes) -> tuple[tuple[UserRule, ...], Path | None]:
    """Return the rules of a hash, and where their code is kept."""
    if source in _sources.offered:
        return _sources.offered[source], None
    missing = f"rules {source.hex()} are wanted, and this process was given no folder of them"
    for folder, (vocabulary, end) in _sources.folders.items():
        try:
            return read_source(folder, source, vocabulary), folder / CODE
        except SourceFileError as error:
            missing = str(error)
            ending = end
    if not _sources.folders:
        raise AssertionError(missing)
    ending(missing)


def _reading(rules: Sequence[UserRule]) -> int:
    """Return the words of the context that any rule reads, a bit each by their places, up to 63."""
    read = frozenset[str]().union(*(rule.context_read for rule in rules))
    places = (place for place, name in enumerate(rules[0].vocabulary.context) if name in read)
    return int(np.uint64(sum(1 << place for place in places if place < CONTEXT_BITS)).view(np.int64))


def _asking(rules: Sequence[UserRule], action: str) -> int:
    """Return the rules that ask for something, a bit each, as an int64."""
    bits = sum((rule.action == action) << number for number, rule in enumerate(rules))
    return int(np.uint64(bits).view(np.int64))


assert HASH_BYTES == 2 * WORD_BYTES
loaded.load_with(load)
