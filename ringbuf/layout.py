"""The layout of a segment: where each of its words lies, the same for every ring.

    byte 0             HEADER: who made this, of what records, for which epoch (segment.py)
    byte 1024          CONTROL: CONTROL_WORDS int64 words, one cursor to a line
    byte 4096          slots or records, page aligned

    CONTROL, in lines of 128 bytes        SPSC ring              broadcast ring
    line 0   written by the producer      PUBLISHED              END
    line 1   written by the producer      RELEASED_SEEN          INTENT
    line 2   written by the consumer      RELEASED               -
    line 3-7 the user's own cursors       USER_WORDS ...         USER_WORDS ...

A line is 128 bytes because x86 cores fetch 64-byte cache lines in pairs: two cursors with
different writers never share a pair. Every word has one writer and only grows in an epoch.
RELEASED_SEEN is the producer's private note of the consumer's cursor: it looks at the
consumer's line only when the note says full, which leaves that line in the consumer's cache.
"""

LAYOUT_VERSION = 1
WORD_BYTES = 8
LINE_BYTES = 128
LINE_WORDS = LINE_BYTES // WORD_BYTES

PUBLISHED = 0 * LINE_WORDS
RELEASED_SEEN = 1 * LINE_WORDS
RELEASED = 2 * LINE_WORDS

END = 0 * LINE_WORDS
INTENT = 1 * LINE_WORDS

USER_WORDS = (3 * LINE_WORDS, 4 * LINE_WORDS, 5 * LINE_WORDS, 6 * LINE_WORDS, 7 * LINE_WORDS)
CONTROL_WORDS = 8 * LINE_WORDS

HEADER_BYTES = 1024
CONTROL_OFFSET_BYTES = HEADER_BYTES
DATA_OFFSET_BYTES = 4096

AWAKE, CALLED, ASLEEP = range(3)
"""States of a bell. Asleep, whatever it is that comes: a sleeper may define values above for what it
waits for alone."""
DESCRIPTOR = 1
"""Word of a bell, behind its state: an eventfd + 1, or 0 where the sleeper sleeps on the futex."""

STAMP_WORD = 0
"""Word of a broadcast slot that holds the slot's global index."""
GATE_WORD = 1
"""Word of a broadcast slot that is compared with the gate (the seq)."""

assert CONTROL_OFFSET_BYTES % LINE_BYTES == 0
assert CONTROL_OFFSET_BYTES + CONTROL_WORDS * WORD_BYTES <= DATA_OFFSET_BYTES
assert DATA_OFFSET_BYTES % 4096 == 0
assert len({PUBLISHED, RELEASED_SEEN, RELEASED, *USER_WORDS}) * LINE_WORDS == CONTROL_WORDS
