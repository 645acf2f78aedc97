"""The door for ISO 8583 under fuzz: python -m tests.system.payments.fuzz_iso8583 --seconds 3600 --seed 1.

Seeded bytes go to the door of a whole instance, each case on a connection of its own, which the client ends
behind them. Whatever comes back are whole messages, each a reply with a response code that there is; payments
and reversals in between are answered right, and the process stays the same.
"""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import iso8583
from iso8583.specs import default_ascii

from engine.contract.port import EventReader
from engine.payments.codes import ISO_CODES
from tests.gateways.iso8583.client import (
    LENGTH_BYTES,
    IsoClient,
    Message,
    decoded,
    encoded,
    framed,
    payment,
    replacement,
    reversal,
)
from tests.system.payments.fuzz import told
from tests.system.payments.iso_running import LOCAL, iso_address, pan_of
from tests.system.payments.running import RunningPayments, write_settings

THREADS = 4
BETWEEN = 20
"""Fuzzed cases between two rounds of messages that are answered right."""
ANSWER_S = 60.0
PIECE_BYTES = 2**16
SET_UP = """{"op":"merchant","merchant":"right-shop"}
{"op":"merchant","merchant":"m1"}
{"op":"account","account":4711,"balances":{"EUR":1000000000000}}
{"op":"account","account":1,"balances":{"EUR":1000000}}"""
"""The first account and merchant are those of the messages in between, and of no fuzzed case."""
REPLIES = {f"0{digit}{function}0" for digit in "123456789" for function in "13"}
TABLE: Any = default_ascii
CHARACTERS = "0123456789 ABCabc=^-+_.:/\x00\x7f"


class IsoCases:
    """Makes cases, one after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._kinds: dict[str, Callable[[], bytes]] = {
            "anything": self._anything,
            "anything framed": lambda: framed(self._anything()),
            "odd length": self._odd_length,
            "changed": lambda: framed(self._changed(encoded(self._message())[LENGTH_BYTES:])),
            "odd fields": lambda: encoded(self._odd_fields()),
            "together": self._together,
            "message": lambda: encoded(self._message()),
        }

    def next(self) -> tuple[str, bytes]:
        """Return the kind of the next case and its bytes."""
        kind = self._chance.choice(list(self._kinds))
        return kind, self._kinds[kind]()

    def _anything(self) -> bytes:
        return self._chance.randbytes(self._chance.choice((1, 2, 3, 20, 60, 300, 9000)))

    def _odd_length(self) -> bytes:
        data = encoded(self._message())[LENGTH_BYTES:]
        length = self._chance.choice((0, 1, len(data) - 1, len(data) + 1, 2 * len(data), 8193, 65535))
        return length.to_bytes(LENGTH_BYTES, "big") + data

    def _changed(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self._chance.randrange(1, 4)):
            at = self._chance.randrange(len(changed))
            action = self._chance.randrange(4)
            if action == 0:
                changed[at] = self._chance.randrange(256)
            elif action == 1:
                changed[at] = ord(self._chance.choice("0123456789ABCDEF"))
            elif action == 2:
                changed[at:at] = self._chance.randbytes(self._chance.randrange(1, 5))
            elif len(changed) > 1:
                del changed[at : at + self._chance.randrange(1, len(changed))]
                changed = changed or bytearray(b"0")
        return bytes(changed)

    def _odd_fields(self) -> Message:
        message = self._message()
        for _ in range(self._chance.randrange(1, 6)):
            number = str(
                self._chance.choice(
                    (*map(int, (name for name in message if name != "t")), 35, 44, 55, 70, 102)
                )
            )
            if self._chance.random() < 0.3:
                message.pop(number, None)
            else:
                message[number] = self._text(TABLE[number])
        return message

    def _text(self, shape: Any) -> str:
        size = shape["max_len"] if not shape["len_type"] else self._chance.randrange(shape["max_len"] + 1)
        alphabet = self._chance.choice(("0123456789", CHARACTERS))
        return "".join(self._chance.choices(alphabet, k=size))

    def _together(self) -> bytes:
        parts = [encoded(self._message()) for _ in range(self._chance.randrange(2, 40))]
        return b"".join(parts)[: self._chance.choice((None, None, -1, -20))]

    def _message(self) -> Message:
        stan = self._chance.randrange(1000)
        paid = payment(stan, self._chance.choice(("0100", "0101", "0200", "0201")), de_2=pan_of(stan))
        kind = self._chance.randrange(5)
        if kind == 0:
            part = self._chance.choice((None, replacement(self._chance.randrange(1200))))
            return reversal(paid, stan + 1, self._chance.choice(("0400", "0420", "0421")), de_95=part)
        if kind == 1:
            return {
                "t": "0800",
                "7": "1129120000",
                "11": f"{stan:06}",
                "70": self._chance.choice(("301", "999")),
            }
        return paid if kind > 2 else {**paid, "t": f"{self._chance.randrange(10000):04}"}


class IsoFuzzing:
    """An instance under fuzz."""

    def __init__(self, running: RunningPayments, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._running = running
        self._seed = seed
        self._lock = threading.Lock()
        running.await_ready()
        self._pid = running.pid_of("iso8583")

    def run(self, cases_max: int, seconds_max: float) -> None:
        """Fuzz until there were so many cases, or so long; then look whether the door is the same."""
        give_up = time.monotonic() + seconds_max
        with ThreadPoolExecutor(THREADS) as pool:
            playing = [
                pool.submit(self._thread, number, cases_max // THREADS, give_up) for number in range(THREADS)
            ]
            for each in playing:
                each.result()
        with EventReader.attach(self._running.data_dir) as reader:
            restarts = reader.counters()["supervisor.restarts"]
        if self._running.pid_of("iso8583") != self._pid or restarts:
            self.faults.append(f"the door was restarted, {restarts} times")
        said = self._running.errors.read_text()
        if "Traceback" in said or "ERROR" in said:
            self.faults.append(said)

    def _thread(self, number: int, cases_max: int, give_up: float) -> None:
        cases = IsoCases(random.Random(f"{self._seed}/{number}"))
        address = iso_address(self._running.data_dir)
        counts: Counter[str] = Counter()
        with IsoClient(address, ANSWER_S) as client:
            for case_number in range(cases_max):
                if time.monotonic() > give_up or self.faults:
                    break
                self._try(*cases.next(), address, counts)
                if case_number % BETWEEN == 0:
                    self._ask_rightly(client, number, case_number, counts)
        with self._lock:
            self.counts += counts

    def _try(self, kind: str, data: bytes, address: tuple[str, int], counts: Counter[str]) -> None:
        counts[kind] += 1
        received = _exchanged(address, data)
        try:
            for reply in replies_of(received):
                counts[reply["39"]] += 1
            if not received:
                counts["closed"] += 1
        except (ValueError, KeyError) as fault:
            self.faults.append(f"{kind} {data!r}: {fault!r}: {received[:2000]!r}")

    def _ask_rightly(self, client: IsoClient, thread: int, case_number: int, counts: Counter[str]) -> None:
        """Pay, repeat, reverse in part and whole: each is answered as it must be."""
        until_now = {"de_42": "right-shop".ljust(15), "de_102": "4711", "de_41": f"RIGHT-{thread:02}"}
        stan = case_number % 10**6
        paid = payment(stan, de_2=pan_of(10**9 + thread * 10**6 + stan), **until_now)
        in_part = reversal(paid, stan, de_95=replacement(1))
        asked = (paid, {**paid, "t": "0101"}, in_part, {**in_part, "t": "0401"}, reversal(paid, stan))
        answers = [client.ask(message) for message in asked]
        counts["right"] += len(asked)
        approval = answers[0].get("38")
        if answers[0] != answers[1] or any(
            (each["39"], each.get("38")) != ("00", approval) for each in answers
        ):
            self.faults.append(f"wrong answers in between: {answers}")


def replies_of(received: bytes) -> list[Message]:
    """Return the replies in what a door has sent; ValueError, or KeyError, where that is anything else."""
    found = []
    while received:
        end = LENGTH_BYTES + int.from_bytes(received[:LENGTH_BYTES], "big")
        if len(received) < end:
            raise ValueError("a reply does not end")
        try:
            reply = decoded(received[LENGTH_BYTES:end])
        except iso8583.DecodeError as error:
            raise ValueError("no message") from error
        if reply["t"] not in REPLIES or reply["39"] not in ISO_CODES or "2" in reply:
            raise ValueError(f"no reply: {reply}")
        found.append(reply)
        received = received[end:]
    return found


def _exchanged(address: tuple[str, int], data: bytes) -> bytes:
    """Send bytes on a connection that ends behind them; return all that comes until the door closes it."""
    received = b""
    with socket.create_connection(address, ANSWER_S) as connection, suppress(ConnectionError):
        with suppress(OSError):  # it may be closed before all is sent
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(PIECE_BYTES):
            received += chunk
    return received


def play(folder: Path, seed: int, cases_max: int, seconds_max: float) -> IsoFuzzing:
    """Start an instance within a folder, fuzz it, stop it, and leave nothing."""
    running = RunningPayments(folder / "data", *write_settings(folder, SET_UP, LOCAL), "--lean")
    try:
        fuzzing = IsoFuzzing(running, seed)
        fuzzing.run(cases_max, seconds_max)
        if running.stop() != 0:
            fuzzing.faults.append(running.errors.read_text())
        return fuzzing
    finally:
        running.clean_up()


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the door for ISO 8583."""
    return told(play, __doc__ or "", arguments)


if __name__ == "__main__":
    raise SystemExit(main())
