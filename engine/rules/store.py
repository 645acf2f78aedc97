"""Sources of sets of rules, written under the hash of what they say and checked against it when read."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from engine.rules.compiled import hash_of
from engine.rules.language.faults import RuleFault
from engine.rules.language.source import UserRule, read_set
from engine.rules.stored import HASH_BYTES, MEND, SourceFileError, StoredSet, path_of, stored_in
from engine.rules.vocabulary import Vocabulary
from ringbuf.whole_files import write_atomically


def source_hash(rules: Sequence[UserRule]) -> bytes:
    """Return the hash under which a set is stored, never zeros."""
    return hash_of(rules)[:HASH_BYTES]


def write_source(folder: Path, files: Mapping[str, str], rules: Sequence[UserRule]) -> bytes:
    """Store the files of a set, for certain; return its hash. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = source_hash(rules)
    path = path_of(folder, source)
    if not path.exists():
        content = msgspec.json.encode(StoredSet(tuple(rule.name for rule in rules), dict(files)))
        write_atomically(path, content, sync=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return source


def read_source(folder: Path, source: bytes, vocabulary: Vocabulary) -> tuple[UserRule, ...]:
    """Return the rules of a stored set; raise SourceFileError where they are not there, or other ones."""
    path, stored = path_of(folder, source), stored_in(folder, source)
    try:
        rules = read_set(stored.files, vocabulary)
    except RuleFault as fault:
        raise SourceFileError(f"{path}: was changed ({fault}); {MEND}") from None
    if source_hash(rules) != source or stored.rules != tuple(rule.name for rule in rules):
        raise SourceFileError(f"{path}: was changed: its rules have another hash; {MEND}")
    return rules
