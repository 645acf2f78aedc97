"""The memory of answers: what was said to whom, until it is a day old."""

import hashlib
from collections.abc import Hashable
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """An answer as it was given."""

    at_ms: int
    digest: bytes | None  # of the body; None is that of a reversal which came before its original
    values: tuple[Any, ...]  # of the reply; its keys are the same for all


class Memory:
    """By key the answers that are younger than their age limit."""

    def __init__(self, age_ms: int) -> None:
        self._age_ms = age_ms
        self._answers: dict[Hashable, Answer] = {}
        self._sweep_at_ms = 0  # the moment that begins with forgetting old answers

    def get(self, key: Hashable, at_ms: int) -> Answer | None:
        """Return the answer that was given to a key, where it is still remembered."""
        answer = self._answers.get(key)
        return answer if answer is not None and at_ms - answer.at_ms < self._age_ms else None

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Remember an answer from now on, in the place of what the key had."""
        if answer.at_ms >= self._sweep_at_ms:
            oldest_ms = answer.at_ms - self._age_ms
            self._answers = {key: each for key, each in self._answers.items() if each.at_ms > oldest_ms}
            self._sweep_at_ms = answer.at_ms + self._age_ms // 4
        self._answers[key] = answer


def digest_of(text: str) -> bytes:
    """Return what stands for the canonical text of a body."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
