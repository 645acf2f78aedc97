"""The memory of answers: what was said to whom, until it is a day old."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, NamedTuple

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class Answer(NamedTuple):
    """An answer as it was given."""

    at_ms: int
    digest: bytes | None  # of the body; None is that of a reversal which came before its original
    values: tuple[Any, ...]  # of the reply; its keys are the same for all


class Memory:
    """By key the answers that are younger than their age limit."""

    def __init__(self, age_ms: int) -> None:
        self._age_ms = age_ms
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()  # the oldest is first

    def get(self, key: Hashable, at_ms: int) -> Answer | None:
        """Return the answer that was given to a key, where it is still remembered."""
        while self._answers and at_ms - next(iter(self._answers.values())).at_ms >= self._age_ms:
            self._answers.popitem(last=False)
        return self._answers.get(key)

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Remember an answer from now on, in the place of what the key had."""
        self._answers[key] = answer
        self._answers.move_to_end(key)


def digest_of(body: dict[str, Any]) -> bytes:
    """Return what two bodies have in common when they ask the same."""
    asked = {name: value for name, value in body.items() if name not in ("received_at", "explain")}
    return hashlib.blake2b(_ENCODER.encode(asked).encode(), digest_size=16).digest()
