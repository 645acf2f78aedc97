"""Set-up under surrogates."""

from pinion.capture.surrogates import Surrogates
from pinion.parity.surrogate_lines import with_surrogates

PAN, TOKEN = "4111111111111111", "tok-4111"


def test_cards_and_what_looks_like_one_get_the_surrogates_of_the_capture() -> None:
    surrogates = Surrogates(bytes(32))
    lines = (
        b'{"op":"list","list":"lost","add":["4111111111111111","tok-4111"],"remove":["4111111111111111"]}\n'
        b'{"op":"list","list":"block_card","add":["4111111111111112"]}\n'
        b'{"op":"account","account":4111111111111111,"count_24h":20}\n'
        b"not JSON\n"
        b"\xff"
    )

    cards, unfit, account, *broken = with_surrogates(lines, surrogates).split(b"\n")

    assert cards.count(surrogates.of(PAN).encode()) == 2
    assert TOKEN.encode() in cards
    assert PAN.encode() not in cards
    assert surrogates.of("4111111111111112").encode() in unfit
    assert account == b'{"op":"account","account":%s,"count_24h":20}' % surrogates.of(PAN).encode()
    assert broken == [b"not JSON", b"\xff"]
