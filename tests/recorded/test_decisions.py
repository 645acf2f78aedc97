"""What the engine decides stays decided: event bytes and digests as decisions.json holds them.

The values were recorded before the changes they judge (README.md). The state digest and the bytes
of events are bound to today's layout; the digest without layout outlives it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.trading.capacities import Capacities
from engine.trading.digest import digest
from engine.trading.kernels.state import new_state
from engine.trading.neutral_digest import EVENT_NUMBERS, EVENT_TEXTS, NeutralDigest, neutral_digest
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND, Op
from perf.flow.generate import generate
from perf.flow.mixes import EVERY_MIX, SCALE, Mix
from tests.recorded.reading import DATA, RECORDED, Decided, hash_of, replayed
from tests.recorded.venue_flow import dbn_day, itch_day

COUNT = 20_000
LIVE_MAX = 20_000
"""Live orders of the largest mix here, so that it fits the default capacities."""
DAY = 600
CME = "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
ITCH = "12302019_SNIPPET.NASDAQ_ITCH50"
BUSIEST = 3672
"""Stock locate of the ITCH file's busiest symbol."""


def decided_of(mix: Mix) -> dict[str, Any]:
    """Return what a mix comes to, in the form of decisions.json."""
    flow = generate(replace(mix, live_orders=LIVE_MAX) if mix is SCALE else mix, count=COUNT)
    state = new_state(Capacities())
    events = run_all(state, flow.commands)
    return {
        "commands": len(flow.commands),
        "commands_hash": hash_of(flow.commands.tobytes()),
        "events": len(events),
        "events_hash": hash_of(events.tobytes()),
        "state": digest(state),
        "without_layout": neutral_digest(events, state),
    }


@pytest.mark.parametrize("name", EVERY_MIX)
def test_every_mix_is_decided_as_recorded(name: str) -> None:
    assert decided_of(EVERY_MIX[name]) == RECORDED["mixes"][name]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [("synthetic DBN", dbn_day, ("--tick", "ESH4=0.25")), ("synthetic ITCH", itch_day, ())],
)
def test_a_venues_file_is_decided_as_recorded(
    name: str,
    content: Callable[[int], bytes],
    options: tuple[str, ...],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    source = tmp_path / "day"
    source.write_bytes(content(DAY))

    assert replayed(source, *options, capfd=capfd) == Decided(**RECORDED["files"][name])


if DATA is not None:
    REAL = DATA

    @pytest.mark.parametrize(("name", "options"), [(CME, ("--tick", "ESH4=0.25")), (ITCH, ())])
    def test_a_real_file_is_decided_as_recorded(
        name: str, options: tuple[str, ...], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert replayed(REAL / name, *options, capfd=capfd) == Decided(**RECORDED["files"][name])

    def test_the_busiest_symbol_of_the_real_itch_file_is_decided_as_recorded(
        tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        content, source = (REAL / ITCH).read_bytes(), tmp_path / "one.itch"
        at, kept = 0, []
        while at < len(content):
            end = at + 2 + int.from_bytes(content[at : at + 2], "big")
            if int.from_bytes(content[at + 3 : at + 5], "big") == BUSIEST:
                kept.append(content[at:end])
            at = end
        source.write_bytes(b"".join(kept))

        assert replayed(source, capfd=capfd) == Decided(**RECORDED["files"][f"{ITCH}, locate {BUSIEST}"])


@pytest.fixture(scope="module")
def run() -> tuple[Any, Any]:
    """Return the events and the state of a small flow."""
    state = new_state(Capacities())
    flow = generate(EVERY_MIX["b-power-law"], count=300)
    return run_all(state, flow.commands), state


def test_the_digest_without_layout_does_not_ask_how_events_are_laid_out(run: tuple[Any, Any]) -> None:
    events, state = run
    names = list(reversed(events.dtype.names))
    wide = np.dtype(
        [(name, "<i8" if events.dtype[name].shape == () else events.dtype[name]) for name in names]
    )
    other = np.zeros(len(events), wide)
    for name in names:
        other[name] = events[name]

    assert neutral_digest(other, state) == neutral_digest(events, state)


def test_the_digest_without_layout_does_not_ask_how_events_are_cut(run: tuple[Any, Any]) -> None:
    events, state = run
    pieces = NeutralDigest()
    for first in range(0, len(events), 7):
        pieces.add(events[first : first + 7])

    assert pieces.digest(state) == neutral_digest(events, state)


@pytest.mark.parametrize("name", [*EVENT_NUMBERS, *EVENT_TEXTS])
def test_the_digest_without_layout_sees_every_field_of_an_event(name: str, run: tuple[Any, Any]) -> None:
    events, _ = run
    few, empty = events[:50].copy(), new_state(Capacities())
    before = neutral_digest(few, empty)

    few[name][33] ^= 1

    assert neutral_digest(few, empty) != before


def test_the_digest_without_layout_names_every_field_that_an_event_has(run: tuple[Any, Any]) -> None:
    assert {*EVENT_NUMBERS, *EVENT_TEXTS} == set(run[0].dtype.names)


@pytest.mark.parametrize(
    ("pool", "field"),
    [
        ("books", "phase"),
        ("books", "volume"),
        ("books", "md_seq"),
        ("levels", "qty"),
        ("accounts", "enabled"),
        ("positions", "realised"),
        ("hot", "leaves"),
        ("cold", "rev"),
        ("cold", "client_order_id"),
        ("listings", "tick_mantissa"),
        ("balances", "reserved"),
    ],
)
def test_the_digest_without_layout_sees_what_the_views_give(
    pool: str, field: str, run: tuple[Any, Any]
) -> None:
    events, state = run
    before = neutral_digest(events, state)
    at = dict.fromkeys(("hot", "cold"), int(np.argmax(state[0]["hot"]["leaves"] > 0)))
    at["levels"] = int(np.argmax(state[0]["levels"]["order_count"] > 0))
    place = (0, 3) if pool == "balances" else at.get(pool, 0)

    with flipped(state[0][pool][field], place):
        assert neutral_digest(events, state) != before
    assert neutral_digest(events, state) == before


@contextmanager
def flipped(values: Any, place: Any) -> Iterator[None]:
    """Change one value of the state for the block; a copy of the whole state takes its full size."""
    values[place] ^= 1
    yield
    values[place] ^= 1


def test_a_session_that_only_ends_changes_the_events_alone() -> None:
    ended = np.zeros(1, COMMAND)
    ended["op"], ended["version"], ended["roles"] = int(Op.SESSION_END), 1, 7
    state = new_state(Capacities())

    events = run_all(state, ended)

    assert len(events) == 1
    assert neutral_digest(events, state) != neutral_digest(events[:0], state)
    assert neutral_digest(events[:0], state) == neutral_digest(events[:0], new_state(Capacities()))
