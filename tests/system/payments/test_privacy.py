"""No card number, token, device, address or e-mail gets behind the door: every byte is searched.

Traffic with known ones goes through a whole instance that says as much as it can: as payments, as lists, in
malformed requests, over HTTP and ISO 8583. Processes die in between. What is searched is the data folder with
journal, snapshots and database, the shared memory, standard output and error, and every answer.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.contract import instance
from tests.gateways.iso8583.client import LENGTH_BYTES, IsoClient, encoded, framed, payment, reversal
from tests.system.payments.iso_running import LOCAL, iso_address
from tests.system.payments.running import RunningPayments, write_settings
from tests.system.payments.search import Search
from tests.system.payments.wire import address_of, exchange, responses_of
from tests.system.running import await_true, is_running

PANS = (
    *("4012888888881881", "378282246310005", "6011000990139424", "5105105105105100", "630495060000000000"),
    *("6304950600000000007", "501800000009"),
)
"""Of 12 to 19 digits, each with a good last one."""
LISTED_PANS = ("4222222222222220", "5555555555554444")
TOKENS = ("tok-9f2c7d81aa", "tok-listed-77d0")
DEVICES, EMAILS = (
    ("phone-5d1e88c2", "phone-listed-1b"),
    ("ann.k@example.com", "Bo.L@Example.org", "c@listed.example"),
)
ADDRESSES = ("203.0.113.77", "198.51.100.200", "2001:db8:77:1::9f")
PIN_BLOCK, CHIP, TRACK = "8D2F44E0A1B6C377", "9F2608C0FFEE77AA01", "=99121017788990011"
SECRETS = (
    *PANS,
    PIN_BLOCK,
    CHIP,
    TRACK,
    *LISTED_PANS,
    *TOKENS,
    *DEVICES,
    *EMAILS,
    *map(str.lower, EMAILS),
    *ADDRESSES,
)
SET_UP = [
    {"op": "merchant", "merchant": "m1"},
    {"op": "account", "account": 1, "balances": {"EUR": 10**9}},
    {"op": "list", "list": "lost", "add": [LISTED_PANS[0], TOKENS[1]]},
    {"op": "list", "list": "block_ip", "add": [ADDRESSES[1]]},
]
PAYMENTS = "/v1/payments"
Start = Callable[..., RunningPayments]


def luhn_is_good(pan: str) -> bool:
    digits = [int(each) for each in reversed(pan)]
    return sum(digits[::2] + [sum(divmod(2 * each, 10)) for each in digits[1::2]]) % 10 == 0


def bodies(round_number: int) -> Iterator[tuple[str, str]]:
    """Yield (path, body) of everything that is sent in a round: good payments, refused ones, lists."""
    for number, pan in enumerate(PANS):
        payment = {
            "request_id": f"r{round_number}-{number}", "merchant": "m1", "channel": "ecom",
            "amount": 100 + number, "currency": "EUR", "account": 1, "card": {"pan": pan, "expiry": "9912"},
            "device": DEVICES[0], "ip": ADDRESSES[number % 3], "email": EMAILS[number % 3],
        }  # fmt: skip
        yield PAYMENTS, json.dumps(payment)
        for changed in (
            {"request_id": pan}, {"merchant": f"x{pan}"}, {"email": f"{pan}@example.com"},
            {"amount": int(pan)}, {"account": int(pan)}, {pan: 1}, {"currency": pan}, {"channel": pan},
            {"card": {"pan": pan, "expiry": pan}}, {"card": {"pan": pan, pan: "9912"}}, {"card": pan},
            {"card": {"pan": int(pan), "expiry": "9912"}}, {"card": {"pan": pan, "token": TOKENS[0]}},
            {"device": [DEVICES[0]]}, {"ip": f"{ADDRESSES[0]}."}, {"email": [EMAILS[0]]},
        ):  # fmt: skip
            yield PAYMENTS, json.dumps({**payment, **changed})
        yield PAYMENTS, json.dumps(payment)[:-1]
        yield PAYMENTS, pan
        yield PAYMENTS, json.dumps(payment) + pan
        yield PAYMENTS, json.dumps({**payment, "zz": pan * 5000})
        yield f"{PAYMENTS}/{pan}/capture", json.dumps({"request_id": "c"})
        yield f"{PAYMENTS}/a-{pan}/void", json.dumps({"request_id": "v", pan: 1})
        yield f"{PAYMENTS}/admin", json.dumps({"op": "list", "list": "stolen", "add": [pan], "remove": [pan]})
        for wrong in (
            {"op": pan}, {"op": "list", "list": pan, "add": []}, {"op": "list", "list": "lost", pan: []},
            {"op": "list", "list": "block_bin", "add": [pan]}, {"op": "merchant", "merchant": f"{pan} "},
            {"op": "list", "list": "lost", "add": [int(pan)]}, {"op": "account", "account": pan},
        ):  # fmt: skip
            yield f"{PAYMENTS}/admin", json.dumps(wrong)
    card = {"token": TOKENS[0], "expiry": "9912"}
    by_token = {
        "request_id": f"t{round_number}", "merchant": "m1", "channel": "pos", "amount": 5, "currency": "EUR",
        "account": 1, "card": card,
    }  # fmt: skip
    yield PAYMENTS, json.dumps(by_token)
    yield PAYMENTS, json.dumps({**by_token, "card": {**card, "bin": TOKENS[0]}})
    for name, values in (("block_device", DEVICES), ("block_email", EMAILS), ("block_ip", ADDRESSES[1:])):
        yield f"{PAYMENTS}/admin", json.dumps({"op": "list", "list": name, "add": [values[-1]]})
        yield f"{PAYMENTS}/admin", json.dumps({"op": "list", "list": name, "add": [[values[-1]]]})
    listed = {"op": "list", "list": "block_card", "add": [LISTED_PANS[1], TOKENS[1]]}
    yield f"{PAYMENTS}/admin", json.dumps(listed)


def heads(key: str) -> Iterator[str]:
    """Yield requests with a card number where no body is."""
    known = f"Host: localhost\r\nAuthorization: Bearer {key}"
    for pan in PANS:
        yield f"GET /{pan} HTTP/1.1\r\n{known}"
        yield f"GET {PAYMENTS}/{pan} HTTP/1.1\r\n{known}"
        yield f"GET {PAYMENTS}/accounts/{pan} HTTP/1.1\r\n{known}"
        yield f"GET {PAYMENTS}?card={pan}#{pan} HTTP/1.1\r\n{known}"
        yield f"GET http://{pan}:x/ HTTP/1.1\r\n{known}"
        yield f"{pan} / HTTP/1.1\r\n{known}"
        yield f"GET / HTTP/1.1\r\nHost: {pan}"
        yield f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {pan}"
        for header in (
            "Pinion-Account",
            "Pinion-Deadline-Ms",
            "Expect",
            "Origin",
            "Content-Encoding",
            "Cookie",
        ):
            yield f"POST {PAYMENTS} HTTP/1.1\r\n{known}\r\nContent-Length: 0\r\n{header}: {pan}"


def messages(round_number: int) -> Iterator[bytes]:
    """Yield messages of ISO 8583 with a card number wherever one can be, the length in front."""
    for number, pan in enumerate(PANS):
        stan = 100 * round_number + number
        unread = {"35": f"{pan}{TRACK}"[:37], "45": f"B{pan}^A/B^{TRACK}", "52": PIN_BLOCK, "55": CHIP}
        paid = {**payment(stan, de_2=pan), **unread, "48": pan, "120": CHIP}
        yield encoded(paid)
        yield encoded({**reversal(paid, stan + 50), "2": pan, **unread})
        for name, text in (
            ("37", f"{pan[:12]}"), ("42", pan[:15].ljust(15)), ("102", pan), ("49", pan[:3]),
            ("90", f"0100{pan}".ljust(42, "0")), ("95", pan.ljust(42, "0")), ("7", pan[:10]), ("41", pan[:8]),
        ):  # fmt: skip
            yield encoded({**paid, name: text, "11": f"{stan + 20:06}"})
            yield encoded({**reversal(paid, stan + 30), "2": pan, name: text})
        whole = encoded(paid)[LENGTH_BYTES:]
        yield framed(whole[:-1])
        yield framed(whole + pan.encode())
        yield framed(whole.replace(b"0100", b"0120", 1))


def no_messages(pan: str) -> Iterator[bytes]:
    """Yield what the door for ISO 8583 ends a connection for."""
    yield framed(pan.encode())
    yield framed(f"01{pan}".encode())
    yield framed(f"POST {PAYMENTS}/{pan} HTTP/1.1".encode())
    yield pan.encode()
    yield b"\x00\x00" + pan.encode()


def play_messages(running: RunningPayments, round_number: int, search: Search) -> list[str]:
    """Send everything to the door for ISO 8583; return where an answer repeats a secret."""
    address, found, codes = iso_address(running.data_dir), list[str](), set()
    with IsoClient(address, 60.0) as client:
        for message in messages(round_number):
            client.send(message)
            reply = client.reply()
            codes.add(reply["39"])
            found += search.in_bytes("\n".join(reply.values()).encode(), f"the reply to {message[:200]!r}")
    for pan in PANS:
        for message in no_messages(pan):
            with IsoClient(address, 60.0) as client:
                client.send(message)
                assert client.is_closed()
    assert {"00", "30", "40"} <= codes
    return found


def play(running: RunningPayments, round_number: int, search: Search) -> list[str]:
    """Send everything; return where an answer repeats a secret."""
    address, found = address_of(running.data_dir), []
    for head in heads(running.key):
        answer, _ = exchange(address, [f"{head}\r\n\r\n".encode()])
        found += search.in_bytes(answer, f"the answer to {head}")
        assert 400 <= responses_of(answer)[0].status < 500
    statuses = set()
    for path, body in bodies(round_number):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {running.key}\r\n"
        head += f"Pinion-Deadline-Ms: 60000\r\nContent-Length: {len(body)}\r\n\r\n"
        answer, _ = exchange(address, [head.encode(), body.encode()])
        found += search.in_bytes(answer, f"the answer to {body[:200]}")
        statuses.add(responses_of(answer)[0].status)
    assert {200, 404, 413, 422} <= statuses <= {200, 404, 409, 413, 422}
    return found


def kill_some(running: RunningPayments) -> None:
    """Kill the doors, the worker and the journaler; wait for those that follow them."""
    names = ("payments", "iso8583", "worker", "journaler")
    before = {name: running.pid_of(name) for name in names}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def are_new() -> bool:
        return all(
            running.pid_of(name) != pid and is_running(running.pid_of(name)) for name, pid in before.items()
        )

    await_true(are_new, "all live again", 120.0)


def test_nothing_that_is_personal_is_anywhere_behind_the_door(start: Start, tmp_path: Path) -> None:
    assert all(map(luhn_is_good, (*PANS, *LISTED_PANS)))
    search, control = Search(SECRETS), Search(["r1-0", "m1"])
    data_dir = tmp_path / "data"
    options = write_settings(tmp_path, "\n".join(map(json.dumps, SET_UP)), LOCAL)
    running = start(*options, "--verbose", data_dir=data_dir)
    running.await_ready()

    found = play(running, 1, search) + play_messages(running, 1, search)
    kill_some(running)
    await_true(lambda: is_serving(running), "the door serves", 120.0)
    found += play(running, 2, search) + play_messages(running, 2, search)
    limits = core_limits(running)
    shared = [Path("/dev/shm", name) for name in instance.read(data_dir).segments.values()]
    found += [each for path in shared for each in search.in_file(path)]
    found += search.in_folder(data_dir)
    seen = [each for path in (*shared, *data_dir.rglob("*.npy")) for each in control.in_file(path)]
    assert running.stop() == 0
    assert running.process.stdout is not None
    found += search.in_bytes("\n".join([*running.lines, running.process.stdout.read()]).encode(), "stdout")
    found += search.in_folder(data_dir)

    assert found == []
    assert len({each.partition(":")[0] for each in seen}) > 3, (
        "what must be found there is not: the search is blind"
    )
    assert "INFO" in running.errors.read_text()
    assert set(limits.values()) == {"0 0"}, limits
    assert any((data_dir / "snapshots").glob("*.npy"))


def is_serving(running: RunningPayments) -> bool:
    """Tell whether the door answers, and decides."""
    head = f"POST {PAYMENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {running.key}\r\n"
    body = '{"request_id":"x","merchant":"m1","channel":"pos","amount":1,"currency":"EUR","account":1,'
    body += '"card":{"token":"x","expiry":"9912"}}'
    try:
        request = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        answer, _ = exchange(address_of(running.data_dir), [request], wait_s=5.0)
        return responses_of(answer)[0].status == 200
    except (OSError, IndexError, instance.PortError):
        return False


def core_limits(running: RunningPayments) -> dict[str, str]:
    """Return by process of the instance how large its core dumps may be, soft and hard."""
    found = {}
    for each in instance.read(running.data_dir).processes:
        lines = Path(f"/proc/{each.pid}/limits").read_text().splitlines()
        [line] = [line for line in lines if line.startswith("Max core file size")]
        found[each.name] = " ".join(line.split()[4:6])
    return found
