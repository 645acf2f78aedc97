"""Through the proxy everything is as without it, and what came is kept in the order in which it came."""

import asyncio
import gzip
import json
import time
from pathlib import Path

import pytest

from pinion.capture.client import BODY_MAX
from pinion.capture.records import CaptureError, read
from pinion.capture.verify import verify
from tests.pinion.capture.captured import capturing
from tests.pinion.capture.disks import HarmedDisk
from tests.pinion.capture.old_service import answer, asked, closed, old_service, request

PAN = "4111111111111111"
REPLY = answer(
    b'{"code":"OK"}', "Content-Type: application/json", "X-Own: a  b", "Set-Cookie: a", "Set-Cookie: b"
)


def without_close(answered: bytes) -> bytes:
    """Return an answer without what the proxy says of its own connection."""
    return answered.replace(b"\r\nConnection: close", b"")


async def test_an_answer_goes_back_byte_for_byte_and_the_pair_is_kept(tmp_path: Path) -> None:
    body = f'{{"card":{{"pan":"{PAN}"}},"cvv":"123","a":1}}'.encode()
    async with (
        old_service({"/v1/payments?x=1": REPLY}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        answered = await asked(
            captured.port,
            request(
                "/v1/payments?x=1",
                body,
                "Authorization: Bearer k",
                "Pinion-Account: 7",
                "Content-Type: x/y",
            ),
        )
    (pair,) = read(captured.folder)

    assert without_close(answered) == REPLY
    assert service.bodies == [body]
    assert (pair.method, pair.path, pair.status, pair.reply) == (
        "POST",
        "/v1/payments?x=1",
        200,
        '{"code":"OK"}',
    )
    assert "cvv" not in str(pair.request)
    assert json.loads(str(pair.request))["a"] == 1
    assert PAN not in str(pair)
    assert pair.headers == {"content-type": "x/y", "pinion-account": "7"}


async def test_the_old_service_sees_its_own_name_and_who_asked_and_nothing_of_the_connection(
    tmp_path: Path,
) -> None:
    async with (
        old_service({"/a": answer()}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        await asked(
            captured.port,
            request("/a", b"", "TE: trailers", "Keep-Alive: 5", "Upgrade: h2c", "X-Kept: 1", "Via: 1.0 x"),
        )

    first, *lines = service.heads[0].decode().rstrip("\r\n").split("\r\n")
    assert first == "POST /a HTTP/1.1"
    assert lines == [
        f"Host: 127.0.0.1:{service.port}", "X-Kept: 1", "Via: 1.0 x", "Via: 1.1 pinion",
        "X-Forwarded-For: 127.0.0.1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: 1\r\n\r\n",
            b"abc",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000, b"x" * 300_000),
    ],
    ids=["chunks", "until the end", "HTTP/1.0", "an early head", "empty", "no content", "large"],
)
async def test_a_body_of_any_framing_comes_through(tmp_path: Path, sent: bytes, body: bytes) -> None:
    async with (
        old_service({"/a": sent}, "/a") as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        from_1_1 = await asked(captured.port, request("/a"))
        from_1_0 = await asked(captured.port, b"GET /a HTTP/1.0\r\n\r\n")
    pairs = list(read(captured.folder))

    head, _, chunks = from_1_1.partition(b"\r\n\r\n")
    plain = chunks.replace(b"\r\n", b"") if b"chunked" not in head else unchunked(chunks)
    assert plain == body
    assert b"chunked" not in from_1_0
    assert from_1_0.partition(b"\r\n\r\n")[2] == body
    assert [each.reply for each in pairs] == [body.decode()] * 2


def unchunked(data: bytes) -> bytes:
    """Return a body that came in chunks."""
    content = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if size == b"0":
            return content
        content, data = content + data[: int(size, 16)], data[int(size, 16) + 2 :]


async def test_a_body_in_chunks_reaches_the_old_service_whole(tmp_path: Path) -> None:
    sent = request("/a", b"", "Transfer-Encoding: chunked") + b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
    async with (
        old_service({"/a": answer()}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        await asked(captured.port, sent)

    assert service.bodies == [b"abc"]


async def test_requests_sent_ahead_are_answered_in_turn_on_connections_that_stay(tmp_path: Path) -> None:
    answers = {f"/{number}": answer(b"%d" % number) for number in range(20)}
    sent = [request(f"/{number}", b"x", is_last=number == 19) for number in range(20)]
    async with (
        old_service(answers) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        answered = await asked(captured.port, b"".join(sent))

    assert without_close(answered) == b"".join(answers.values())
    assert service.connection_count == 1
    assert [each.path for each in read(captured.folder)] == list(answers)


async def test_a_head_request_has_no_body_and_keeps_its_length(tmp_path: Path) -> None:
    async with (
        old_service({"/a": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        answered = await asked(captured.port, request("/a", method="HEAD"))

    assert without_close(answered) == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


async def test_a_client_that_waits_to_be_told_to_go_on_is_told(tmp_path: Path) -> None:
    async with (
        old_service({"/a": answer()}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", captured.port)
        writer.write(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        told = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"ab")
        head = await reader.readuntil(b"\r\n\r\n")
        await closed(writer)

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"Expect" not in service.heads[0]
    assert service.bodies == [b"ab"]


async def test_packed_bodies_pass_packed_and_are_kept_plain(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"code":"OK"}')
    async with (
        old_service({"/a": answer(packed, "Content-Encoding: gzip")}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        answered = await asked(captured.port, request("/a", gzip.compress(b"{}"), "Content-Encoding: gzip"))
    (pair,) = read(captured.folder)

    assert answered.endswith(packed)
    assert (pair.request, pair.reply) == ("{}", '{"code":"OK"}')


@pytest.mark.parametrize(
    "sent",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"nonsense\r\n\r\n"],
    ids=["nothing", "half an answer", "no HTTP"],
)
async def test_what_is_not_answered_is_kept_without_a_reply(tmp_path: Path, sent: bytes) -> None:
    async with (
        old_service({"/a": sent, "/b": answer()}, "/a") as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        answered = await asked(captured.port, request("/a", b"x"))
        await asked(captured.port, request("/b"))
    first, second = read(captured.folder)

    assert answered.startswith(b"HTTP/1.1 502" if b"200" not in sent else b"HTTP/1.1 200")
    assert (first.request, first.status, first.reply) == ("x", None, None)
    assert second.status == 200
    assert verify(captured.folder).unanswered == 1


async def test_a_service_that_is_not_there_is_told_and_kept(tmp_path: Path) -> None:
    async with old_service({}) as service:
        pass
    async with capturing(tmp_path / "capture", service.port) as captured:
        answered = await asked(captured.port, request("/a", b"x"))
    (pair,) = read(captured.folder)

    assert answered.startswith(b"HTTP/1.1 502 Bad Gateway")
    assert b"the service cannot be reached" in answered
    assert (pair.status, pair.reply) == (None, None)
    assert captured.numbers is not None
    assert captured.numbers.unanswered == 1


async def test_a_client_that_leaves_does_not_keep_the_reply_from_being_kept(tmp_path: Path) -> None:
    async with old_service({"/a": REPLY}) as service:
        service.may_answer.clear()
        async with capturing(tmp_path / "capture", service.port) as captured:
            _, writer = await asyncio.open_connection("127.0.0.1", captured.port)
            writer.write(request("/a", b"x"))
            await service.asked.get()
            writer.close()
            await writer.wait_closed()
            service.may_answer.set()
    (pair,) = read(captured.folder)

    assert pair.status == 200


async def test_pairs_are_numbered_by_arrival_and_not_by_answer(tmp_path: Path) -> None:
    async with (
        old_service({"/slow": answer(), "/fast": answer()}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        service.held["/slow"] = asyncio.Event()
        waiting = asyncio.create_task(asked(captured.port, request("/slow", b"x")))
        await service.asked.get()
        await asked(captured.port, request("/fast", b"x"))
        service.held["/slow"].set()
        await waiting

    assert [each.path for each in read(captured.folder)] == ["/slow", "/fast"]


async def test_a_pair_says_how_long_its_answer_took(tmp_path: Path) -> None:
    async with (
        old_service({"/slow": answer(), "/fast": answer()}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        service.held["/slow"] = asyncio.Event()
        begun = time.monotonic_ns()
        waiting = asyncio.create_task(asked(captured.port, request("/slow", b"x")))
        await service.asked.get()
        held_from = time.monotonic_ns()
        await asked(captured.port, request("/fast", b"x"))
        held_to = time.monotonic_ns()
        service.held["/slow"].set()
        await waiting
        ended = time.monotonic_ns()
    slow, _ = read(captured.folder)

    assert held_to - held_from <= (slow.duration_us + 1) * 1000
    assert slow.duration_us * 1000 <= ended - begun


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (BODY_MAX + 1), b"413"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
    ],
)
async def test_what_cannot_be_passed_on_is_refused_and_counted(
    tmp_path: Path, sent: bytes, status: bytes
) -> None:
    async with (
        old_service({}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        answered = await asked(captured.port, sent)

    assert answered.startswith(b"HTTP/1.1 " + status)
    assert captured.numbers is not None
    assert captured.numbers.refused == 1
    assert service.heads == []
    assert list(read(captured.folder)) == []


async def test_clients_see_nothing_of_a_full_disk_and_the_capture_tells(tmp_path: Path) -> None:
    disk = HarmedDisk()
    async with (
        old_service({"/a": REPLY}) as service,
        capturing(tmp_path / "capture", service.port, disk=disk) as captured,
    ):
        await asked(captured.port, request("/a", b"before"))
        await asyncio.to_thread(disk.has_written.wait)
        disk.room = 100
        full = [await asked(captured.port, request("/a", b"while full")) for _ in range(5)]
        await asyncio.to_thread(disk.has_failed.wait)
        disk.room = None
        await asked(captured.port, request("/a", b"behind"))
    found = verify(captured.folder)

    assert {without_close(each) for each in full} == {REPLY}
    assert found.records + found.dropped == 7
    assert found.dropped >= 1
    assert captured.numbers is not None
    assert (captured.numbers.records, captured.numbers.dropped) == (found.records, found.dropped)


async def test_a_disk_that_stays_full_is_told_at_the_end_with_what_stands_there(tmp_path: Path) -> None:
    disk = HarmedDisk()
    folder = tmp_path / "capture"

    async def captured_until_full() -> None:
        async with (
            old_service({"/a": REPLY}) as service,
            capturing(folder, service.port, disk=disk) as captured,
        ):
            await asked(captured.port, request("/a", b"before"))
            await asyncio.to_thread(disk.has_written.wait)
            disk.room = 0
            await asked(captured.port, request("/a", b"while full"))

    with pytest.raises(CaptureError, match=r"No space left.*; 1 pairs stand there .*, 1 were dropped"):
        await captured_until_full()

    assert [each.request for each in read(folder)] == ["before"]


async def test_clients_see_nothing_of_a_disk_that_hangs(tmp_path: Path) -> None:
    disk = HarmedDisk()
    async with (
        old_service({"/a": REPLY}) as service,
        capturing(tmp_path / "capture", service.port, disk=disk) as captured,
    ):
        disk.may_write.clear()
        answered = [await asked(captured.port, request("/a", b"x")) for _ in range(5)]
        size = (captured.folder / "records-000001.jsonl").stat().st_size
        disk.may_write.set()

    assert {without_close(each) for each in answered} == {REPLY}
    assert size == 0
    assert len(list(read(captured.folder))) == 5


async def test_a_pair_that_is_large_is_kept_in_its_place(tmp_path: Path) -> None:
    large = f'{{"list":["{PAN}"],"x":"{"x" * 200_000}"}}'.encode()
    async with (
        old_service({"/a": REPLY}) as service,
        capturing(tmp_path / "capture", service.port) as captured,
    ):
        for body in (b"first", large, b"last"):
            await asked(captured.port, request("/a", body))
    first, second, third = read(captured.folder)

    assert (first.request, third.request) == ("first", "last")
    assert len(second.request) == len(large)
    assert PAN not in str(second.request)


async def test_an_end_answers_what_is_under_way_and_keeps_it(tmp_path: Path) -> None:
    async with old_service({"/a": REPLY}) as service:
        service.may_answer.clear()
        async with capturing(tmp_path / "capture", service.port) as captured:
            asking = asyncio.create_task(asked(captured.port, request("/a", b"x", is_last=False)))
            await service.asked.get()
            captured.stopping.set()
            service.may_answer.set()
            answered = await asking

    assert without_close(answered) == REPLY
    assert [each.status for each in read(captured.folder)] == [200]
