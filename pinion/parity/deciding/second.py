"""A second process that encodes some of the batches, since reading bodies takes most of a replay.

    this process      read all, encode every third batch, decide and compare all
    the second one    read all, encode the other batches, send them as records

Both read the same pairs and cut them into the same batches, so what is sent is records alone. The second one
is forked: it has whatever the reading needs, and ends with the block. Where it cannot read on, neither can
this process, which then says why.
"""

import signal
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np

from engine.contract.errors import ToldError
from engine.payments.records import COMMAND
from pinion.parity.answers import ServiceAnswer
from pinion.parity.deciding.encoding import Encoded, Encoder
from pinion.parity.deciding.expected import EXPECTED
from pinion.parity.pairs import Pair

BATCH = 2048
"""Pairs that are encoded together."""
EVERY = 3
"""Of so many batches the first one is encoded by the process that decides."""
Source = Callable[[], Iterator[Pair]]


class _Sent(msgspec.Struct, frozen=True, array_like=True):
    """A batch that is encoded, without its pairs."""

    commands: bytes
    ends: list[int]
    line_ends: dict[int, list[int]]
    expected: bytes
    request_ids: list[str | None]
    payments: list[str | None]
    is_fresh: list[bool]
    refused: dict[int, tuple[int, dict[str, Any]]]


_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(_Sent).decode


class SecondProcess:
    """Encodes batches for the block; source : yields the same pairs each time it is called."""

    def __init__(self, encoder: Encoder, source: Source) -> None:
        context = get_context("fork")
        self._connection, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(encoder, source, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.join()

    def encoded(self, pairs: list[Pair]) -> Encoded:
        """Return the next batch, whose pairs these are, once the second process has encoded it."""
        try:
            sent = _decode(self._connection.recv_bytes())
        except EOFError:
            self._process.join()
            raise ToldError(
                f"the second process has ended with {self._process.exitcode}; is there enough memory?"
            ) from None
        expected = np.frombuffer(bytearray(sent.expected), EXPECTED)
        refused = {idx: ServiceAnswer(*answer) for idx, answer in sent.refused.items()}
        return Encoded(
            pairs, np.frombuffer(bytearray(sent.commands), COMMAND), sent.ends, sent.line_ends, expected,
            sent.request_ids, sent.payments, sent.is_fresh, refused,
        )  # fmt: skip


def batches(pairs: Iterator[Pair]) -> Iterator[list[Pair]]:
    """Cut pairs into batches."""
    while batch := list(islice(pairs, BATCH)):
        yield batch


def is_of_second(number: int) -> bool:
    """Tell whether the second process encodes the batch of this number, from 0."""
    return number % EVERY != 0


def _work(encoder: Encoder, source: Source, connection: Connection) -> None:
    """Encode the batches of the second process, and send them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is told too, and ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        for number, batch in enumerate(batches(source())):
            if is_of_second(number):
                connection.send_bytes(_packed(encoder.encode(batch)))
    except (ToldError, BrokenPipeError):  # the first process meets the same, or has ended
        return


def _packed(encoded: Encoded) -> bytes:
    refused = {idx: (answer.status, answer.document or {}) for idx, answer in encoded.refused.items()}
    sent = _Sent(
        encoded.commands.tobytes(), encoded.ends, encoded.line_ends, encoded.expected.tobytes(),
        encoded.request_ids, encoded.payments, encoded.is_fresh, refused,
    )  # fmt: skip
    return _encode(sent)
