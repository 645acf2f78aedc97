import msgspec

from api.streams.outbox import KEPT_BYTES_MAX, Outbox

HEAD = b'{"channel":"trades","data":['
OTHER_HEAD = b'{"channel":"fills","data":['


class Counter:
    """News of which only the newest value counts."""

    def __init__(self) -> None:
        self.value = 0

    def message(self) -> bytes | None:
        return str(self.value).encode()


def outbox_with_wakes() -> tuple[Outbox, list[None]]:
    wakes: list[None] = []
    return Outbox(lambda: wakes.append(None)), wakes


def test_kept_reports_of_one_head_leave_as_one_message_in_order() -> None:
    outbox, _ = outbox_with_wakes()

    outbox.keep(HEAD, b"1", 10)
    outbox.keep(HEAD, b"2,3", 11)

    assert outbox.take() == HEAD + b"1,2,3]}"
    assert outbox.resume_seq == 11
    assert outbox.take() is None


def test_reports_of_different_channels_keep_their_order() -> None:
    outbox, _ = outbox_with_wakes()
    outbox.keep(HEAD, b"1", 10)
    outbox.keep(OTHER_HEAD, b"2", 11)
    outbox.keep(HEAD, b"3", 12)

    messages = [outbox.take() for _ in range(3)]

    assert messages == [HEAD + b"1]}", OTHER_HEAD + b"2]}", HEAD + b"3]}"]
    assert all(msgspec.json.decode(message)["data"] for message in messages if message)


def test_latest_news_marked_often_leaves_once_with_the_newest_value() -> None:
    outbox, _ = outbox_with_wakes()
    counter = Counter()

    for value in range(1000):
        counter.value = value
        outbox.mark(counter)

    assert outbox.take() == b"999"
    assert outbox.take() is None


def test_reader_with_too_many_kept_bytes_is_overrun_and_holds_no_memory() -> None:
    outbox, wakes = outbox_with_wakes()
    outbox.start_at(5)
    outbox.keep(HEAD, b"1", 10)
    outbox.take()

    outbox.keep(HEAD, b"x" * KEPT_BYTES_MAX, 11)
    outbox.keep(HEAD, b"y", 12)

    assert outbox.is_overrun
    assert outbox.resume_seq == 10
    assert outbox.take() is None
    assert len(wakes) == 3


def test_answers_go_before_reports_and_reports_before_latest_states() -> None:
    outbox, _ = outbox_with_wakes()
    outbox.mark(Counter())
    outbox.keep(HEAD, b"1", 1)
    outbox.reply(b"answer")

    assert [outbox.take() for _ in range(3)] == [b"answer", HEAD + b"1]}", b"0"]


def test_unmarked_news_is_not_sent() -> None:
    outbox, _ = outbox_with_wakes()
    counter = Counter()
    outbox.mark(counter)

    outbox.unmark(counter)

    assert outbox.take() is None
