"""Which frames of a client's WebSocket reach the reader, in whatever chunks they come."""

import random
from typing import Any

import pytest

from gateways.process.frames import IDLE_FRAMES_MAX, REFUSED_FRAME, ClientFrames

SEED = 20261128
FIN, TEXT, BINARY, CONTINUATION, CLOSE, PING = 0x80, 1, 2, 0, 8, 9


def frame(first: Any, payload: Any = b"", mask: Any = 0x80) -> Any:
    """Return a frame as a client sends it; mask=0: as it must not."""
    size = len(payload)
    if size < 126:
        length = bytes((mask | size,))
    elif size < 65536:
        length = bytes((mask | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((mask | 127,)) + size.to_bytes(8, "big")
    if mask:
        payload = b"abcd" + bytes(each ^ b"abcd"[i % 4] for i, each in enumerate(payload))
    return bytes((first,)) + length + payload


GOOD = [
    frame(FIN | TEXT, b"hello"),
    frame(TEXT, b""),
    frame(FIN | PING, b"between"),
    frame(CONTINUATION, b"x" * 200),
    frame(FIN | CONTINUATION, b"end"),
    frame(FIN | BINARY, b"y" * 70_000),
    frame(FIN | TEXT),
    frame(FIN | CLOSE, b"\x03\xe8"),
]
BAD = {
    "unmasked": frame(FIN | TEXT, b"hello", mask=0),
    "unmasked and empty": frame(FIN | TEXT, b"", mask=0),
    "unmasked ping": frame(FIN | PING, b"", mask=0),
    "message inside another whose beginning was empty": frame(TEXT, b"") + frame(FIN | TEXT, b"x"),
    "continuation of nothing": frame(FIN | CONTINUATION, b"x"),
}


def passed(chunks: Any) -> Any:
    frames = ClientFrames()
    return b"".join(frames.checked(chunk) for chunk in chunks)


def test_good_frames_pass_whole_and_byte_by_byte() -> None:
    data = b"".join(GOOD)

    assert passed([data]) == data
    assert passed([data[i : i + 1] for i in range(len(data))]) == data


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_reader_gets_what_stands_before_a_bad_frame_and_then_one_that_it_refuses(bad: Any) -> None:
    good = frame(FIN | TEXT, b"first")
    data = good + bad + good
    allowed = good + (frame(TEXT, b"") if bad.startswith(frame(TEXT, b"")) else b"")

    for size in range(len(data)):
        assert passed([data[:size], data[size:]]) == allowed + REFUSED_FRAME
    assert passed([data[i : i + 1] for i in range(len(data))]) == allowed + REFUSED_FRAME


def test_random_chunks_make_no_difference() -> None:
    chance = random.Random(SEED)
    for _ in range(300):
        parts = [chance.choice(GOOD[:1] + GOOD[6:7] + [b"".join(GOOD[1:5])]) for _ in range(6)]
        if chance.random() < 0.5:
            parts.insert(chance.randrange(6), chance.choice(list(BAD.values())))
        data = b"".join(parts)
        cuts = sorted(chance.randrange(len(data)) for _ in range(chance.randrange(12)))
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]

        assert passed(chunks) == passed([data]), f"seed {SEED}"


@pytest.mark.parametrize("idle", [frame(FIN | PING, b"x"), frame(FIN | TEXT)], ids=["ping", "empty"])
def test_flood_of_frames_that_carry_nothing_is_refused_and_a_pause_with_pings_is_not(idle: Any) -> None:
    waited = idle * IDLE_FRAMES_MAX

    assert passed([waited] * 3) == waited * 3
    assert passed([waited + idle + idle]) == waited + REFUSED_FRAME


def test_texts_of_every_kind_of_length_pass_as_they_are_in_random_chunks() -> None:
    chance = random.Random(SEED)
    lengths = [1, 2, 7, 125, 126, 127, 300, 65_535, 65_536]
    for _ in range(100):
        data = b"".join(frame(FIN | TEXT, b"z" * chance.choice(lengths)) for _ in range(8))
        cuts = sorted(chance.randrange(len(data)) for _ in range(chance.randrange(12)))
        frames = ClientFrames()
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]

        assert b"".join(frames.checked(chunk) for chunk in chunks) == data, f"seed {SEED}"
        assert frames.checked(frame(FIN | TEXT, b"hello", mask=0)) == REFUSED_FRAME, f"seed {SEED}"
