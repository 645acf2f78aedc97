"""What a capture's folder comes to once every line was followed."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from pinion.capture.records import About, Record, about, lines

TOLD_EVERY = 100_000


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A capture whose lines are all there, whole and chained."""

    about: About
    records: int
    dropped: int
    unanswered: int
    first_ms: int | None
    last_ms: int | None


def verify(folder: Path, told: Callable[[int], None] = lambda _: None) -> Verified:
    """Follow every line; CaptureError at the first that is not as it should be.

    told : called now and then with how many pairs were followed
    """
    said = about(folder)
    records = dropped = unanswered = 0
    times: list[int] = []
    for line in lines(folder):
        if isinstance(line, Record):
            records += 1
            unanswered += line.status is None
            if not records % TOLD_EVERY:
                told(records)
            times = [times[0] if times else line.at_ms, line.at_ms]
        else:
            dropped += line.dropped
    return Verified(
        about=said,
        records=records,
        dropped=dropped,
        unanswered=unanswered,
        first_ms=times[0] if times else None,
        last_ms=times[1] if times else None,
    )
