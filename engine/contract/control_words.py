"""What lies in the shared memory of an instance: records, and words of control blocks.

segment    kind       records
commands   STATE      rings_dtype: control block and command slots of every command ring
journal    SPSC       entries (records.entry_dtype); control also carries DURABLE, LATCH (docs/protocol.md)
events     BROADCAST  events; gated by DURABLE
state      STATE      one record of the application
counters   COUNTERS   worker.*, <process>.heartbeat, <ring>.sessions, <ring>.busy
stats      STATE      STATS: latency histograms of the worker
bells      STATE      bells_dtype: who sleeps, and how to wake it (ringbuf/bells.py)
"""

from typing import Any

import numpy as np

from engine.contract.histogram import BUCKETS
from ringbuf.layout import (
    ASLEEP,
    CONTROL_OFFSET_BYTES,
    CONTROL_WORDS,
    DATA_OFFSET_BYTES,
    LINE_WORDS,
    USER_WORDS,
    WORD_BYTES,
)

RING_COUNT_MAX = 64
"""Command rings of an instance at most."""
EVENT_RING_MIN = 1024
"""Twice what the worker keeps between itself and the slowest visible event (loop.SLACK + loop.CHUNK)."""
OWN_RING = -1
"""`ring` of the commands that the worker makes itself (TICK)."""
SESSION_BITS = 24
"""Session ids are ring_idx << SESSION_BITS | number, so no two rings give the same."""

DURABLE = USER_WORDS[0]
"""Word of the journal's control block: D, the last seq that is durable. Journaler's."""
LATCH = USER_WORDS[1]
"""Word of the journal's control block: not 0 = accept nothing more. Journaler's."""
OPENED = USER_WORDS[2]
"""Word of the journal's control block: 1 once D and JT stand where the files end. Journaler's."""
STATE_EPOCH = USER_WORDS[0]
"""Word of the state's control block: odd while the worker rebuilds the state. Worker's."""

WORKER_BELL, JOURNALER_BELL, SHADOW_BELL, READER_BELLS = range(4)
"""Whose bell is which; from READER_BELLS on those of doors and feeders, who wait for events."""
FOR_DURABLE = ASLEEP + 1
"""State of the worker's bell: asleep until D moves; a new command is no reason to wake it."""

RING_WAIT = 0
STEP = 1
HISTOGRAMS = ("ring_wait", "step")
CHECK_BITS = 16
"""Every 2**CHECK_BITS commands the worker notes the hash of all events so far (exchange rule S27)."""
CHECKS = 64
STATS = np.dtype(
    [("buckets", "<i8", (len(HISTOGRAMS), BUCKETS)), ("checks", "<i8", (2 * CHECKS,))]  # seq, hash, ...
)
"""ns from a gateway's stamp to sequencing, ns of one sampled command per batch; the last hashes noted."""


def bells_dtype(count: int) -> np.dtype[np.void]:
    """Return the dtype of a record of `count` bells."""
    return np.dtype([("words", "<i8", (count * LINE_WORDS,))])


def words_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of a record as plain words, as a kernel takes it that copies whole records.

    (numba moves a record value byte by byte.)
    """
    return np.dtype(("<i8", (dtype.itemsize // WORD_BYTES,)))


def rings_dtype(ring_count: int, slot_count: int, slot: np.dtype[Any]) -> np.dtype[np.void]:
    """Return the record of all command rings, each a control block and its slots.

    They lie in one record of one segment because a kernel takes one typed argument, however
    many rings there are.
    """
    ring = np.dtype([("control", "<i8", (CONTROL_WORDS,)), ("slots", slot, (slot_count,))])
    return np.dtype([("rings", ring, (ring_count,))])


def ring_record_dtype(slot: np.dtype[Any], slot_count: int) -> np.dtype[np.void]:
    """Return a ring segment from its control block on as one record: what the loop's kernel takes.

    An array argument costs a kernel reference counting, a record does not (design decision D6).
    """
    gap = DATA_OFFSET_BYTES - CONTROL_OFFSET_BYTES - CONTROL_WORDS * WORD_BYTES
    return np.dtype(
        [
            ("control", "<i8", (CONTROL_WORDS,)),
            ("pad", "<i8", (gap // WORD_BYTES,)),
            ("slots", slot, (slot_count,)),
        ]
    )
