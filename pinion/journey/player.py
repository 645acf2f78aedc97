"""A traffic played at a service, one request after the other: what each was answered.

The lines are those of `pinion payments traffic`: `$17` in a path is the payment that the reply to line 17
names.
"""

import http.client
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from pinion.journey.children import StepError

TIMEOUT_S = 60.0
NOBODY = "0"
_NAMED = re.compile(r"\$([0-9]+)")


class Played(NamedTuple):
    """What a request was answered: status, code, and the set of rules and the cohort that decided."""

    status: int
    code: str
    ruleset: int | None
    cohort: str | None


class Player:
    """Plays the lines in order, at one service."""

    def __init__(self, url: str, lines: Sequence[bytes], key: str | None = None) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        self._url = url
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_S)
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._lines = lines
        self._payments: list[str] = []
        self.answers: list[Played] = []

    def __enter__(self) -> "Player":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def is_done(self) -> bool:
        """Whether every line was played."""
        return len(self.answers) == len(self._lines)

    def play(self, count: int) -> Iterator[Played]:
        """Play the next lines; yield what each is answered."""
        begin = len(self.answers)
        for line in self._lines[begin : begin + count]:
            yield self._asked(json.loads(line))

    def _asked(self, line: dict[str, Any]) -> Played:
        path = _NAMED.sub(lambda found: self._payment(int(found[1])), line["path"])
        body = line["body"]
        raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else json.dumps(body).encode()
        try:
            self._connection.request(line["method"], path, raw, self._headers)
            response = self._connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise StepError(f"{self._url} did not answer line {len(self.answers) + 1}: {error}") from error
        try:
            document = msgspec.json.decode(said)
        except msgspec.DecodeError:
            document = {}
        document = document if isinstance(document, dict) else {}
        self._payments.append(document.get("payment") or NOBODY)
        code = code_of(document)
        answer = Played(response.status, code, document.get("ruleset"), document.get("cohort"))
        self.answers.append(answer)
        return answer

    def _payment(self, number: int) -> str:
        return self._payments[number - 1] if number else NOBODY


def code_of(document: dict[str, Any]) -> str:
    """Return the code that a reply has, or that of its first line of set-up."""
    if document.get("results"):
        document = document["results"][0]
    return str(document.get("code") or document.get("reason") or "")
