"""Traffic of every kind, through the proxy and without it: the same answers, and no card number is kept."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from gateways.payments.values import passes_luhn
from perf.traffic.settings import DEFAULTS
from perf.traffic.traffic import Traffic
from pinion.capture.records import read
from pinion.capture.surrogates import pans_in
from pinion.cli.payments.traffic import ADMIN, line_of, requests
from tests.payments.legacy.server import application
from tests.payments.legacy.service import Legacy
from tests.pinion.capture.captured import capturing
from tests.system.payments.search import Search

COUNT = 500
TEXT_OF_DIGITS = re.compile(r'"([0-9]{12,19})"')


class Answered(NamedTuple):
    """What a client sees."""

    status: int
    body: bytes
    headers: list[tuple[str, str]]


class Player:
    """Sends traffic to one address, with the payments' ids as they are there."""

    def __init__(self, http: ClientSession, port: int) -> None:
        self._http = http
        self._base = f"http://127.0.0.1:{port}"
        self._payments: list[str] = []

    async def play(self, path: str, body: bytes) -> Answered:
        """Send one request."""
        path = re.sub(r"\$(\d+)", lambda found: self._payment(int(found[1])), path)
        headers = {"Content-Type": "application/json", "Authorization": "Bearer a-secret"}
        async with self._http.post(self._base + path, data=body, headers=headers) as answer:
            content = await answer.read()
            said = [(name, value) for name, value in answer.headers.items() if name != "Date"]
            reply = json.loads(content) if content.startswith(b'{"payment"') else {}
            self._payments.append(reply.get("payment") or "none")
            return Answered(answer.status, content, said)

    def _payment(self, line: int) -> str:
        return self._payments[line - 1] if line else "none"


def sent() -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return a set-up, and requests as path and body."""
    traffic = Traffic(3, settings=DEFAULTS)
    set_up = b"".join(map(line_of, traffic.set_up))
    asked = [(each["path"], body_of(each["body"])) for each in requests(traffic, COUNT)]
    return set_up, asked


def body_of(body: Any) -> bytes:
    """Return the bytes of a body; a text is sent as it stands."""
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else json.dumps(body).encode()


def cards_in(text: str) -> Iterator[str]:
    """Yield every card number of a text."""
    yield from pans_in(text)
    yield from (each for each in TEXT_OF_DIGITS.findall(text) if passes_luhn(each))


async def test_answers_are_the_same_through_the_proxy_and_no_card_number_is_kept(tmp_path: Path) -> None:
    set_up, asked = sent()
    services = [TestServer(application(Legacy(DEFAULTS, clock="request"))) for _ in range(2)]
    async with services[0], services[1], ClientSession() as http:
        assert services[1].port is not None
        async with capturing(tmp_path / "capture", services[1].port) as captured:
            direct, proxied = Player(http, services[0].port or 0), Player(http, captured.port)
            answers = [
                (await direct.play(*each), await proxied.play(*each)) for each in [(ADMIN, set_up), *asked]
            ]
    records = list(read(captured.folder))
    cards = set(cards_in(set_up.decode())) | {
        card for _, body in asked for card in cards_in(body.decode("utf-8", "replace"))
    }

    assert [one for one, _ in answers] == [other for _, other in answers]
    assert [each.status for each in records] == [one.status for one, _ in answers]
    assert len(cards) > 50
    assert Search([*cards, "a-secret"]).in_folder(captured.folder) == []
