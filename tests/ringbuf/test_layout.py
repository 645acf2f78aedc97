"""Cursors with different writers never share a pair of cache lines."""

from ringbuf import layout


def test_every_cursor_has_a_line_of_its_own() -> None:
    spsc = [layout.PUBLISHED, layout.RELEASED_SEEN, layout.RELEASED]
    broadcast = [layout.END, layout.INTENT]

    for words in (spsc, broadcast):
        lines = [word * layout.WORD_BYTES // layout.LINE_BYTES for word in (*words, *layout.USER_WORDS)]
        assert len(set(lines)) == len(lines)
        assert max(lines) < layout.CONTROL_WORDS // layout.LINE_WORDS


def test_header_control_and_data_do_not_overlap() -> None:
    control_end = layout.CONTROL_OFFSET_BYTES + layout.CONTROL_WORDS * layout.WORD_BYTES

    assert layout.HEADER_BYTES <= layout.CONTROL_OFFSET_BYTES
    assert control_end <= layout.DATA_OFFSET_BYTES
