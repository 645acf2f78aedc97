"""Set-up under surrogates."""

from pinion.capture.surrogates import Surrogates
from pinion.parity.surrogate_lines import with_surrogates

PAN, TOKEN = "4111111111111111", "tok-4111"


def test_cards_on_lists_get_their_surrogates_and_nothing_else_changes() -> None:
    surrogates = Surrogates(bytes(32))
    lines = (
        b'{"op":"list","list":"lost","add":["4111111111111111","tok-4111"],"remove":["4111111111111111"]}\n'
        b'{"op":"list","list":"block_account","add":[4111111111111111]}\n'
        b"not JSON\n"
    )

    cards, accounts, broken, _ = with_surrogates(lines, surrogates).split(b"\n")

    assert cards.count(surrogates.of(PAN).encode()) == 2
    assert TOKEN.encode() in cards
    assert PAN.encode() not in cards
    assert accounts == b'{"op":"list","list":"block_account","add":[4111111111111111]}'
    assert broken == b"not JSON"
