"""Textual client ids as records and history carry them, told as they were given (exchange rule S4).

A text stands there as it is, a UUID as the byte 1 and its 16 bytes: no printable text begins with that
byte. What a client may give, and how it comes into a record, is said in client_ids.py.
"""

from engine.trading.records import TEXT_BYTES

UUID_MARK = 1
UUID_TEXT_BYTES = 17
"""Bytes of a record's text that a UUID takes, its own trailing zeros included."""
WORD_BYTES = 8
assert UUID_TEXT_BYTES <= TEXT_BYTES == 3 * WORD_BYTES


def text_of(carried: bytes) -> str:
    """Return the text id that a record or history carries, "" for none; zeros at its end do not matter."""
    carried = carried.rstrip(b"\0")
    if carried[:1] == bytes((UUID_MARK,)) and len(carried) <= UUID_TEXT_BYTES:
        digits = carried[1:].ljust(UUID_TEXT_BYTES - 1, b"\0").hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return carried.decode("utf-8", "replace")


def given_text(first: int, second: int, third: int) -> str:
    """Return the text id that three words carry, "" for none."""
    words = (first, second, third)
    return text_of(b"".join([int(word).to_bytes(WORD_BYTES, "little", signed=True) for word in words]))


def given_id(client_order_id: int, first: int, second: int, third: int) -> int | str | None:
    """Return a client id as it was given: the text if there is one, null for none."""
    if first or second or third:
        return given_text(first, second, third)
    return client_order_id or None
