"""The ring door of the feeder: records straight into a spare command ring of a running instance.

The feeder is a gateway like any other: one process, one ring, its own events back. A full
ring makes it wait and try again; commands are neither dropped nor reordered.
"""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from engine.contract.port import PortError, claim_spare
from engine.trading.instruments import Instrument, RefusedAtDoor, catalogue
from engine.trading.name import TRADING
from engine.trading.records import COMMAND, EventFlag, EventKind, Op
from engine.trading.view.live_view import LiveView
from gateways.feed.meter import Meter
from gateways.files.source import InputError
from gateways.files.ticks import TickError
from gateways.json_lines import CommandEncoder, MalformedCommand
from gateways.json_lines.events import REASON_NAMES

BATCH_COMMANDS = 256
IN_FLIGHT_MAX = 1 << 15  # without a rate: far below the event ring, so that answers are not overtaken
IDLE_SECONDS = 0.01
"""The longest wait for room in the ring, or for answers."""
SETTLE_SECONDS = 2.0
"""How long no answer may come before those on their way are given up."""
DEFINITIONS = frozenset({"currency", "instrument", "account"})
LAST, TRADE, REJECTED = int(EventFlag.LAST), int(EventKind.TRADE), int(EventKind.REJECTED)
NEW = int(Op.NEW)


class RingDoor:
    """Feeds one running instance; a context manager that gives the ring back."""

    def __init__(
        self, data_dir: Path, meter: Meter, uninterrupted: AbstractContextManager[Any] | None = None
    ) -> None:
        self.meter = meter
        self._uninterrupted = uninterrupted or nullcontext()
        self._port = claim_spare(data_dir)
        running = self._port.instance.application
        if running != TRADING:
            self._port.close()
            raise PortError(f"{data_dir}: runs {running!r}, and feed plays into {TRADING!r} alone")
        self._session = self._port.next_session()
        self._state = self._port.state()
        self._view = LiveView(self._state, self._port.state_turn)
        known = catalogue(self._state)
        self._encoder = CommandEncoder(known, self._instrument_of, session=self._session, is_live=True)
        self._instruments: dict[tuple[int, int], int] = {}  # (account, client id) of our orders
        self._staged: list[bytes] = []
        self._laps = 0
        self.resting_before = 0  # orders that were in the books already

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._port.close()

    @property
    def encoder(self) -> CommandEncoder:
        """The encoder, with what the instance knows."""
        return self._encoder

    @property
    def view(self) -> LiveView:
        """The live state of the instance."""
        return self._view

    def note_resting(self, symbols: Iterable[str]) -> None:
        """Count what rests in the books of these symbols before the feed enters anything."""
        known = self._encoder.catalogue.instrument_by_symbol
        found = [known[symbol].instrument_idx for symbol in symbols if symbol in known]
        self.resting_before += sum(int(self._view.book_record(idx)["order_count"]) for idx in found)

    def ring_fill(self) -> str:
        """Say how many commands the worker has not taken yet."""
        return f"ring {self._port.depth():,}"

    def feed(self, commands: Iterable[dict[str, Any]]) -> Iterable[None]:
        """Send every command; yields now and then so that the caller can show a line.

        Where the input turns out broken, what came before has been sent and answered.
        """
        try:
            for fields in commands:
                self._stage(fields)
                if len(self._staged) >= BATCH_COMMANDS or self.meter.due() <= len(self._staged):
                    self.flush()
                    yield
        except (InputError, MalformedCommand, TickError):
            self.flush()
            self.settle()
            raise
        self.flush()
        self.settle()
        yield

    def _stage(self, fields: dict[str, Any]) -> None:
        if fields.get("op") == "rules" and fields.get("act") == "register":
            mend = "rules are registered through the order door: pinion rules register FILE"
            raise MalformedCommand("act", "register", mend)
        try:
            packed = self._encoder.pack(fields)
        except RefusedAtDoor as refusal:
            self.meter.refusals[refusal.reason.name.lower()] += 1
            return
        if self._encoder.new_currencies:
            for code in self._encoder.new_currencies:
                self.define({"op": "currency", "currency": code})
            packed = self._encoder.pack(fields)
        self._staged.append(packed)
        if fields["op"] == "instrument":
            self.note_resting([fields["symbol"]])
        if fields["op"] in DEFINITIONS:
            self.flush()
            self.settle()
            self.refresh()
        elif fields["op"] == "new":
            command = np.frombuffer(packed, COMMAND)[0]
            key = int(command["account"]), int(command["client_order_id"])
            self._instruments[key] = int(command["instrument"])

    def define(self, fields: dict[str, Any]) -> None:
        """Send one definition and wait until the instance knows it."""
        self._staged.append(CommandEncoder(self._encoder.catalogue, session=self._session).pack(fields))
        self.flush()
        self.settle()
        self.refresh()

    def refresh(self) -> None:
        """Read again what the instance knows."""
        self._encoder.catalogue = catalogue(self._state)

    def flush(self) -> None:
        """Publish what is staged."""
        if self._staged:
            self.send(np.frombuffer(bytearray(b"".join(self._staged)), COMMAND))
            self._staged.clear()

    def send(self, commands: "npt.NDArray[np.void]") -> None:
        """Publish records in order, at the meter's pace, waiting where the ring is full."""
        commands["session"] = self._session
        meter = self.meter
        sent = 0
        while sent < len(commands):
            count = min(len(commands) - sent, BATCH_COMMANDS, meter.due())
            if meter.in_flight >= IN_FLIGHT_MAX:
                count = 0
            if count > 0:
                batch = commands[sent : sent + count]
                batch["req_seq"] = np.arange(meter.sent, meter.sent + count) + 1
                with self._uninterrupted:
                    accepted = self._port.submit(batch)
                    meter.send(accepted)
                sent += accepted
            if not self.poll() and (count <= 0 or accepted < count):
                self._port.await_events(meter.seconds_until_due() or IDLE_SECONDS)
        self.poll()

    def poll(self) -> bool:
        """Take in our events; tell whether there were any to look at."""
        if not self._port.has_visible():
            return False
        with self._uninterrupted:
            self._take()
        return True

    def _take(self) -> None:
        events = self._port.drain()
        if self._port.laps != self._laps:
            self._laps = self._port.laps
            self.meter.lost = self._port.lost
        if len(events):
            own = events[events["ring"] == self._port.ring_idx]
            kinds = own["kind"]
            self.meter.fills += int(np.count_nonzero(kinds == TRADE))
            for reason in own["reason"][kinds == REJECTED].tolist():
                self.meter.rejections[REASON_NAMES[reason]] += 1
            self.meter.answer(own["req_seq"][own["flags"] & LAST != 0] - 1)

    def settle(self) -> None:
        """Wait for the answers of what was sent; those that do not come stay unanswered."""
        waiting, silent_since = self.meter.in_flight, time.monotonic()
        while self.meter.in_flight > 0:
            if not self.poll():
                self._port.await_events(IDLE_SECONDS)
            if self.meter.in_flight < waiting:
                waiting, silent_since = self.meter.in_flight, time.monotonic()
            elif time.monotonic() - silent_since > SETTLE_SECONDS:
                self.meter.give_up()
        self._port.beat()

    def _instrument_of(self, account: int, client_order_id: int, order_id: int) -> Instrument | None:
        found = self._instruments.get((account, client_order_id))
        if found is not None:
            return self._encoder.catalogue.instruments[found]
        order = self._view.order(order_id) if order_id else self._view.client_order(account, client_order_id)
        return getattr(order, "instrument", None)
