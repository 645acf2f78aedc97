"""The door's pump skips what concerned nobody, also when the first to wait is a session that only listens."""

import asyncio
from typing import Any

from gateways.commands.pump import Pump
from ringbuf.bells import Bell
from tests.gateways.conftest import Door


class Source:
    """What a pump asks of its port."""

    bell: Bell | None = None
    skips = 0

    def has_visible(self) -> bool:
        return False

    def skip(self) -> None:
        self.skips += 1


def pumped(door: Door, source: Source, then: Any) -> None:
    async def run() -> None:
        pump = Pump(door.desk.dispatcher, source, lambda: None, lambda now: None)
        door.desk.dispatcher._on_staged = pump.wake
        running = asyncio.create_task(pump.run())
        await asyncio.sleep(0)
        then()
        pump.stop(1.0)
        await running

    asyncio.run(run())


def test_a_session_begins_at_the_newest_event(door: Door) -> None:
    source = Source()

    pumped(door, source, lambda: door.session(7))

    assert source.skips == 1


def test_nothing_is_skipped_while_somebody_listens(door: Door) -> None:
    source = Source()
    door.session(7)

    pumped(door, source, lambda: door.session(8))

    assert source.skips == 0
