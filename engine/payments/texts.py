"""Texts as records have them: ASCII in whole words, little-endian, zeros behind the end."""

from collections.abc import Iterable

from engine.payments.records import TEXT_WORD_BYTES


def text_words(text: str, word_count: int) -> tuple[int, ...]:
    """Return a text as so many words."""
    encoded = text.encode("ascii").ljust(word_count * TEXT_WORD_BYTES, b"\0")
    assert len(encoded) == word_count * TEXT_WORD_BYTES
    return tuple(
        int.from_bytes(encoded[begin : begin + TEXT_WORD_BYTES], "little", signed=True)
        for begin in range(0, len(encoded), TEXT_WORD_BYTES)
    )


def words_text(words: Iterable[int]) -> str:
    """Return the text that words hold."""
    encoded = b"".join(int(word).to_bytes(TEXT_WORD_BYTES, "little", signed=True) for word in words)
    return encoded.rstrip(b"\0").decode("ascii")
