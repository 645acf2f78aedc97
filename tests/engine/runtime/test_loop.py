"""The loop's promises, with an application that only echoes (protocol rules 2 to 8)."""

import time
from typing import Any

import numpy as np

from engine.contract.control_words import OWN_RING
from engine.runtime.loop import IDLE, LATCHED
from tests.engine.runtime.echo import LAST, slots_of


def test_commands_are_numbered_densely_from_one(bench: Any) -> None:
    bench.send(0, 40)
    bench.send(1, 10)

    bench.run_until_applied(50)

    entries = bench.segments.journal.slots[:50]
    assert entries["seq"].tolist() == list(range(1, 51))
    assert (np.diff(entries["eng_ts"]) >= 0).all()


def test_rings_take_turns_batch_by_batch(bench: Any) -> None:
    for ring in range(3):
        bench.send(ring, 20)

    bench.run_until_applied(60)

    rings = bench.segments.journal.slots["ring"][:60]
    assert rings.tolist() == [0] * 16 + [1] * 16 + [2] * 16 + [0] * 4 + [1] * 4 + [2] * 4


def test_ring_seq_is_the_position_in_its_ring(bench: Any) -> None:
    bench.send(1, 30)

    bench.run_until_applied(30)

    assert bench.segments.journal.slots["ring_seq"][:30].tolist() == list(range(30))


def test_one_clock_read_stamps_a_whole_batch(bench: Any) -> None:
    bench.send(0, 16)

    bench.run_until_applied(16)

    assert len(set(bench.segments.journal.slots["eng_ts"][:16].tolist())) == 1


def test_eng_ts_never_goes_back_when_the_clock_does(bench: Any) -> None:
    bench.send(0, 1)
    bench.run_until_applied(1)
    bench.call.loop["clock_offset"] -= 3_600 * 10**9

    bench.send(0, 1)
    bench.run_until_applied(2)

    first, second = bench.segments.journal.slots["eng_ts"][:2].tolist()
    assert second == first


def test_command_slots_are_free_once_they_are_journaled(bench: Any) -> None:
    assert bench.send(0, 64) == 64
    assert bench.send(0, 1) == 0

    bench.run()

    assert bench.send(0, 16) == 16


def test_events_carry_dense_indices_and_their_command(bench: Any) -> None:
    bench.send(2, 10, count=3)

    bench.run_until_applied(10)
    events = bench.read_all()

    assert events["event_idx"].tolist() == list(range(30))
    assert events["seq"].tolist() == [seq for seq in range(1, 11) for _ in range(3)]
    assert set(events["ring"].tolist()) == {2}
    assert (events["flags"][2::3] == LAST).all()


def test_versions_that_apply_opened_are_even_after_it(bench: Any) -> None:
    bench.send(0, 5)

    bench.run_until_applied(5)

    assert bench.state["version"][0, 3] == 2 * 5
    assert bench.state["opened_count"][0] == 0


def test_nothing_is_visible_before_it_is_durable(bench: Any) -> None:
    bench.call.loop["journals_itself"] = 0
    bench.send(0, 8)
    bench.run_until_applied(8)

    assert len(bench.read_all()) == 0
    bench.set_durable(5)
    assert bench.read_all()["seq"].tolist() == [1, 2, 3, 4, 5]


def test_invisible_events_are_never_overwritten(bench: Any) -> None:
    bench.call.loop["journals_itself"] = 0
    bench.send(0, 10, count=200)
    for _ in range(50):
        bench.run()
    stuck_at = int(bench.call.loop["applied"])

    assert stuck_at < 10
    assert bench.counters["worker.gate_waits"] > 0
    bench.set_durable(2)
    assert bench.read_all()["seq"].tolist() == [1] * 200 + [2] * 200


def test_a_closed_gate_opens_again_and_nothing_is_missing(bench: Any) -> None:
    bench.call.loop["journals_itself"] = 0
    bench.send(0, 10, count=200)
    seen = []
    for durable in range(1, 11):
        for _ in range(5):
            bench.run()
        bench.set_durable(durable)
        seen.append(bench.read_all())

    events = np.concatenate(seen)

    assert events["event_idx"].tolist() == list(range(2_000))
    assert events["seq"].tolist() == [seq for seq in range(1, 11) for _ in range(200)]


def test_what_is_committed_ends_with_a_whole_event(bench: Any) -> None:
    bench.call.loop["journals_itself"] = 0
    bench.send(0, 1, count=4_000)
    for _ in range(50):
        bench.run()
    bench.set_durable(1)

    told = bench.read_all()

    assert slots_of(len(told)) == bench.reader.position
    assert len(bench.segments.events.slots) // 2 < bench.reader.position < slots_of(4_000)


def test_one_command_may_make_more_events_than_the_ring_holds(bench: Any) -> None:
    bench.send(0, 1, count=4_000)

    bench.run_until_applied(1)

    assert bench.call.loop["event_end"] == slots_of(4_000)
    assert bench.reader.drain(16) is None, "the reader slept: it must learn that it was lapped"
    assert bench.reader.missed > 0


def test_a_reader_that_is_lapped_does_not_hold_up_the_loop(bench: Any) -> None:
    for _ in range(100):
        bench.send(0, 64, count=5)
        bench.run_until_applied(int(bench.rings[0].published))

    assert bench.call.loop["applied"] == 6_400
    assert bench.reader.drain(16) is None


def test_a_full_journal_stops_the_draining_and_loses_nothing(bench: Any) -> None:
    bench.call.loop["journals_itself"] = 0
    bench.send(0, 64)
    bench.send(1, 64)
    for _ in range(50):
        bench.run()

    assert bench.call.loop["journaled"] == 64
    assert bench.counters["worker.journal_waits"] > 0
    assert len(bench.rings[0]) + len(bench.rings[1]) == 64
    bench.set_durable(64)
    bench.run_until_applied(128)


def test_a_latched_journal_accepts_nothing(bench: Any) -> None:
    bench.segments.latch(1)
    bench.send(0, 1)

    assert bench.run() == LATCHED
    assert bench.call.loop["journaled"] == 0


def test_an_idle_second_makes_a_tick_of_the_loops_own(bench: Any) -> None:
    bench.call.loop["eng_ts"] = time.time_ns() - 2 * 10**9

    bench.run_until_applied(1)

    entry = bench.segments.journal.slots[0]
    assert (entry["ring"], entry["ring_seq"]) == (OWN_RING, 0)
    assert bench.state["ticks"][0] == 1
    assert len(bench.read_all()) == 0


def test_a_due_timer_makes_a_tick_at_once(bench: Any) -> None:
    bench.state["due"][0] = 1

    bench.run_until_applied(1)

    assert bench.state["ticks"][0] == 1


def test_an_idle_round_says_so(bench: Any) -> None:
    assert bench.run() == IDLE


def test_counters_and_histograms_tell_what_happened(bench: Any) -> None:
    bench.send(0, 20, gw_ts=time.time_ns())

    bench.run_until_applied(20)

    assert bench.counters["worker.commands"] == 20
    assert bench.counters["worker.events"] == 20
    assert bench.counters["worker.batches"] == 2
    assert bench.counters.age_ns("worker.heartbeat") is not None
    assert bench.segments.stats.slots[0]["buckets"].sum(axis=1).tolist() == [20, 2]
