"""Whole instances with a door for ISO 8583 beside the one over HTTP, and players that keep their own record.

A player sends messages in batches, as switches do, and what got no answer, or one that leaves it open, again
as it was until there is one. So at rest it knows what its account must have.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.contract import instance
from gateways.payments.values import passes_luhn
from tests.gateways.iso8583.client import IsoClient, Message, encoded, payment, replacement, reversal

SECTION = "payments.iso8583"
PEER = '[[payments.iso8583.peers]]\naddress = "{}"\nkey = "{}"\n'
DOOR = "[payments.iso8583]\nport = 0\n"
LOCAL = DOOR + PEER.format("127.0.0.1", "demo")
BALANCE = 10**9
OPEN_CODES = ("68", "91", "96")
"""With which a message may be sent again as it was."""
BATCH = 8
AGAIN_S, GIVE_UP_S = 0.05, 300.0


def iso_address(data_dir: Path) -> tuple[str, int]:
    """Return where the door for ISO 8583 of an instance listens now."""
    host, _, port = instance.read(data_dir).doors[SECTION].removeprefix("tcp://").rpartition(":")
    return host, int(port)


def set_up_of(players: int) -> str:
    """Return the lines of set-up that so many players need."""
    lines = ['{"op":"merchant","merchant":"m1"}']
    lines += [
        f'{{"op":"account","account":{number},"balances":{{"EUR":{BALANCE}}}}}'
        for number in range(1, players + 1)
    ]
    return "\n".join(lines)


def pan_of(number: int) -> str:
    """Return the card number of a card of tests, by its number."""
    head = f"4{number:014}"
    return next(pan for pan in (f"{head}{last}" for last in range(10)) if passes_luhn(pan))


class IsoPlayer:
    """Sends payments and reversals over one connection, made again where it was lost.

    number : of its account, and in its terminal's name
    """

    def __init__(self, data_dir: Path, number: int, seed: int) -> None:
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.total, self.held = BALANCE, 0
        """What the account must have."""
        self._data_dir = data_dir
        self._number = number
        self._random = random.Random(seed * 1000 + number)
        self._client: IsoClient | None = None
        self._stan = 0
        self._told: list[tuple[Message, Message]] = []

    def play(self, stopping: threading.Event) -> None:
        """Send batches until told to stop, and end once the last one was answered."""
        while not stopping.is_set() and not self.faults:
            self._play_batch()

    def check(self) -> None:
        """Send everything of this round again: the replies are as they were."""
        for begin in range(0, len(self._told), BATCH):
            told = self._told[begin : begin + BATCH]
            for (message, first), again in zip(told, self._answers([each for each, _ in told]), strict=True):
                self.counts["repeats"] += 1
                if "37" not in first:  # a reversal that came first names its original once that is there
                    again.pop("37", None)
                if again != first:
                    self.faults.append(f"the repeat of {message} was answered {again}, first {first}")
        self._told.clear()

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _play_batch(self) -> None:
        originals = [self._payment() for _ in range(BATCH)]
        early = originals[: self._random.randrange(2)]
        self._tell([(reversal(each, self._next()), "00") for each in early])
        self._tell([(each, "21" if each in early else "00") for each in originals])
        late = self._random.sample(originals[len(early) :], BATCH // 2)
        expected = [
            (reversal(each, self._next(), self._random.choice(("0400", "0420"))), "00") for each in late
        ]
        if late and self._random.random() < 0.5:
            expected[0] = (reversal(late[0], self._next(), de_95=replacement(int(late[0]["4"]) - 1)), "00")
        self._tell(expected)
        for each in originals[len(early) :]:
            back = int(each["4"]) if each in late else 0
            if each in late[:1] and "95" in expected[0][0]:
                back = 1
            self._count(each, back)

    def _count(self, original: Message, back: int) -> None:
        left = int(original["4"]) - back
        if original["t"] == "0200":
            self.total -= left
        else:
            self.held += left

    def _payment(self) -> Message:
        stan = self._next()
        return payment(
            stan, self._random.choice(("0100", "0200")), de_2=pan_of(self._number * 10**6 + stan),
            de_4=f"{self._random.randrange(2, 5000):012}", de_41=f"T{self._number:07}",
            de_102=str(self._number),
        )  # fmt: skip

    def _next(self) -> int:
        self._stan += 1
        return self._stan

    def _tell(self, expected: list[tuple[Message, str]]) -> None:
        for (message, code), reply in zip(
            expected, self._answers([each for each, _ in expected]), strict=True
        ):
            self.counts["answers"] += 1
            if reply["39"] != code:
                self.faults.append(f"{message} was answered {reply}")
            self._told.append((message, reply))

    def _answers(self, messages: list[Message]) -> list[Message]:
        """Send messages together until each has an answer that decides it."""
        answers: dict[str, Message] = {}
        give_up = time.monotonic() + GIVE_UP_S
        while len(answers) < len(messages):
            for reply in self._exchange([each for each in messages if each["11"] not in answers]):
                self.counts[reply["39"]] += 1
                if self._is_decided(reply):
                    answers[reply["11"]] = reply
            if len(answers) < len(messages):
                if time.monotonic() > give_up:
                    raise AssertionError(f"no answer to {messages} within {GIVE_UP_S:g} s")
                time.sleep(AGAIN_S)
        return [answers[each["11"]] for each in messages]

    def _is_decided(self, reply: Message) -> bool:
        """Tell whether a reply is the last word about its message."""
        return reply["39"] not in OPEN_CODES

    def _exchange(self, messages: list[Message]) -> list[Message]:
        """Return the replies that come before the connection is lost."""
        replies: list[Message] = []
        try:
            if self._client is None:
                self._client = IsoClient(iso_address(self._data_dir))
            self._client.send(b"".join(map(encoded, messages)))
            while len(replies) < len(messages):
                replies.append(self._client.reply())
        except (OSError, instance.PortError):
            self.counts["lost"] += 1
            with suppress(OSError):
                self.close()
        return replies


Players = Callable[[], list[IsoPlayer]]
