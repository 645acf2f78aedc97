"""Lock-free rings over shared memory (L0): bytes and cursors, never what they mean.

    segment.py    named shared memory with a verified header      create, attach, reclaim
    spsc.py       one producer, one consumer, nothing lost        SpscRing and kernels
    broadcast.py  one writer, many readers, overwriting           Broadcast, BroadcastReader
    seqlock.py    consistent reads of what another writes         open_version ... snapshot
    counters.py   named counters and heartbeats                   Counters
    waiting.py    what an idle loop does                          pause
    bells.py      who sleeps, and is called when there is news    call, fall_asleep, Bell
    sleeping.py   sleep for a time or on a word, wake who does    futex_wait, futex_wake
    atomics.py    acquire, release, fences, clocks                for kernels of your own
    njit.py       numba's njit, cached where processes meet
    layout.py     where each word lies

Everything works from Python and from numba kernels; a ring is at its full speed when the
loop around it is a kernel too. In one process:

    import numpy as np
    from ringbuf.segment import Kind, create
    from ringbuf.spsc import SpscRing

    QUOTE = np.dtype([("px", "<i8"), ("qty", "<i8")])
    with create("quotes", Kind.SPSC, QUOTE, capacity=1024) as segment:
        ring = SpscRing(segment.control, segment.slots)
        ring.push(np.array([(100, 5)], QUOTE))  # -> 1, how many fitted

and in another, while that block lasts:

    from ringbuf.segment import Kind, attach

    segment = attach("quotes", Kind.SPSC, QUOTE)
    ring = SpscRing(segment.control, segment.slots)
    ring.pop(limit=64)                          # -> array([(100, 5)], dtype=QUOTE)

As kernels, without copying through Python: `try_claim`, fill `slots[slot]`, `publish`;
`available`, read `slots[(control[RELEASED] + i) & (capacity - 1)]`, `release`.
"""
