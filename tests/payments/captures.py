"""Captures of the plain service: a traffic asked of it, each pair as a proxy in front of it would keep it."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from perf.traffic.items import PAY, REVERSE, SET_UP, VOID, Item, text_of
from perf.traffic.settings import DEFAULTS
from perf.traffic.traffic import Traffic
from pinion.capture.folder import KEY_FILE, load_key
from pinion.capture.records import FIRST, VERSION, About, Body, Record
from pinion.capture.scrub import Scrub
from pinion.capture.surrogates import Surrogates
from pinion.capture.writer import RecordWriter
from pinion.cli.payments.traffic import path_of
from tests.payments.engine_side import NOW_MS
from tests.payments.legacy.codes import CODES, Reply
from tests.payments.legacy.service import Legacy

AT_MS = 1_700_000_000_000


class Captured:
    """A plain service that is asked a traffic; `faults` are those that it has."""

    def __init__(self, seed: int, faults: frozenset[str] = frozenset()) -> None:
        self.traffic = Traffic(seed, settings=DEFAULTS)
        self.service = Legacy(dict(DEFAULTS), faults=faults)
        self.set_up = "".join(json.dumps(line) + "\n" for line in self.traffic.set_up)
        for line in self.traffic.set_up:
            self.service.set_up(line)

    def records(self, count: int) -> Iterator[Record]:
        """Yield the pairs of the first requests."""
        ids: list[str] = []
        at_ms = 0
        for n, item in enumerate(islice(self.traffic, count), 1):
            path = path_of(item)
            if item.of >= 0:
                path = path.replace(f"${item.of + 1}", ids[item.of])
            item, at_ms = arrived(item, at_ms)
            status, reply = self._asked(item, at_ms, path)
            ids.append((json.loads(reply).get("payment") if item.kind == PAY else None) or "0")
            yield Record(
                n=n, at_ms=at_ms, method="POST", path=path, request=text_of(item.body), status=status,
                reply=reply, headers={}, duration_us=1000, prev=FIRST,
            )  # fmt: skip

    def _asked(self, item: Item, at_ms: int, path: str) -> tuple[int, str]:
        service, body = self.service, item.body
        if item.kind == SET_UP:
            reply = service.set_up(body)  # type: ignore[arg-type]  # a line is an object
            return 200, json.dumps(reply) + "\n"
        given: Any = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        if isinstance(given, dict) and "received_at" not in given:
            given = {**given, "received_at": at_ms}
        if item.kind == PAY:
            reply = service.pay(given, NOW_MS)
        elif item.kind == REVERSE:
            reply = service.operate(VOID, None, given, NOW_MS)
        else:
            reply = service.operate(item.kind, path.split("/")[3], given, NOW_MS)
        return status_of(reply), json.dumps(reply)


def status_of(reply: Reply) -> int:
    """Return the HTTP status of a reply."""
    return CODES[reply["code"]].status


def arrived(item: Item, last_ms: int) -> tuple[Item, int]:
    """Return an item without its moment, and that as the one at which it arrived.

    What is no moment stays where it is; such an item arrives with the one before, at `last_ms`.
    """
    body = item.body
    if isinstance(body, dict) and item.kind != SET_UP:
        at_ms = body.get("received_at")
        if type(at_ms) is int and 0 <= at_ms <= NOW_MS:
            return item._replace(body={name: body[name] for name in body if name != "received_at"}), at_ms
    return item, last_ms


BATCH = 1000


def write_capture(folder: Path, records: Iterable[Record]) -> None:
    """Write pairs as `pinion payments capture` does: without card numbers."""
    folder.mkdir(mode=0o700)
    surrogates = Surrogates(load_key(folder / KEY_FILE))
    scrub = Scrub(surrogates)
    about = About(
        version=VERSION, to="http://127.0.0.1:8080", began_ms=AT_MS, fingerprint=surrogates.fingerprint
    )
    writer = RecordWriter(folder, about)
    rest = iter(records)
    while part := [scrubbed(each, scrub) for each in islice(rest, BATCH)]:
        assert writer.append(part)
    writer.close(AT_MS)


def scrubbed(record: Record, scrub: Scrub) -> Record:
    """Return a pair as it is kept."""
    request, pans = scrub.request(_bytes(record.request), "")
    return msgspec.structs.replace(
        record,
        path=scrub.path(record.path, pans),
        request=request,
        reply=None if record.reply is None else scrub.reply(_bytes(record.reply), "", pans),
    )


def _bytes(body: Body) -> bytes:
    assert isinstance(body, str)
    return body.encode("utf-8", "surrogatepass")


class Written(NamedTuple):
    """A capture of the plain service, and what a replay of it, and the service started anew, must be told."""

    capture: Path
    set_up: Path
    config: Path
    """The rules as Pinion's configuration has them."""
    rules: Path
    """The rules as the plain service has them."""


def written(folder: Path, seed: int, count: int, *faults: str) -> Written:
    """Write a capture of the plain service into a folder that is there."""
    captured = Captured(seed, frozenset(faults))
    found = Written(*(folder / name for name in ("capture", "setup.jsonl", "config.toml", "rules.json")))
    found.set_up.write_text(captured.set_up)
    rules = "".join(f"{name} = {value}\n" for name, value in DEFAULTS.items())
    found.config.write_text(f"[payments.rules]\n{rules}")
    found.rules.write_text(json.dumps(DEFAULTS))
    write_capture(found.capture, captured.records(count))
    return found
