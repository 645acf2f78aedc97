"""Messages before the real kernels: what is answered, and that the HTTP door would have answered the same."""

from typing import Any

import pytest

from engine.contract.port import Closed
from engine.payments.codes import Code
from engine.payments.records import Decision, Op
from engine.payments.view.live_view import LiveView
from gateways.iso8583.desk import UnanswerableError
from ringbuf.seqlock import TornReadError
from tests.gateways.iso8583.client import Message, encoded, messages_of, payment, replacement, reversal
from tests.gateways.iso8583.wired import IsoDoor, owners
from tests.gateways.payments.engine_client import EngineGate
from tests.gateways.payments.wired_door import FakeGate

OTHER_PAN = "5500005555555559"
ECHO = {"t": "0800", "7": "1129120000", "11": "000009", "70": "301"}
PAYMENTS = "/v1/payments"
DAY_NS = 86_400 * 10**9


@pytest.fixture
def door() -> IsoDoor:
    return IsoDoor()


async def over_http(door: IsoDoor, message: Message, operation: str = "", **body: Any) -> dict[str, Any]:
    """Ask the HTTP door for what a message asks for; return its reply."""
    given = {
        "request_id": f"{message['41'].strip()}.{message['7']}.{message['11']}",
        "merchant": message["42"].strip(), "terminal": message["41"].strip(),
        "op": "sale" if message["t"].startswith("02") else "authorise", "channel": "pos",
        "amount": int(message["4"]), "currency": "EUR", "account": int(message["102"]),
        "card": {"pan": message["2"], "expiry": message["14"]},
    }  # fmt: skip
    _, reply, _ = await door.http.ask("POST", f"{PAYMENTS}{operation}", body or given)
    return dict(reply)


def money(door: IsoDoor, account: int = 1) -> tuple[int, int]:
    """Return total and held of an account's euros."""
    found = door.view.account(account)
    assert found is not None
    [euros] = [each for each in found.balances if each.currency == 978]
    return euros.total, euros.held


@pytest.mark.parametrize(
    ("kind", "reply_kind", "state"),
    [
        ("0100", "0110", (1_000_000, 1000)),
        ("0101", "0110", (1_000_000, 1000)),
        ("0200", "0210", (999_000, 0)),
        ("0201", "0210", (999_000, 0)),
    ],
)
def test_a_payment_is_answered_with_what_says_which_it_was(
    door: IsoDoor, kind: str, reply_kind: str, state: tuple[int, int]
) -> None:
    message = payment(3, kind)

    reply = door.ask(message)

    echoed = {name: message[name] for name in ("3", "4", "7", "11", "41", "42", "49")}
    seq = door.engine.replica.seq
    assert reply == {"t": reply_kind, **echoed, "37": f"{seq:012}", "38": f"{seq:06}", "39": "00"}
    assert money(door) == state


def test_the_reference_of_a_message_comes_back_as_it_was_sent(door: IsoDoor) -> None:
    assert door.ask(payment(de_37="REF 00000042"))["37"] == "REF 00000042"


@pytest.mark.parametrize(
    ("changes", "iso"),
    [
        ({"de_102": "9"}, "78"),
        ({"de_102": "2"}, "62"),
        ({"de_14": "6912"}, "00"),
        ({"de_4": "000001000001"}, "51"),
        ({"de_42": "m2".ljust(15)}, "05"),
        ({"de_42": "m7".ljust(15)}, "03"),
        ({"de_2": "4111111111111112"}, "14"),
        ({"de_4": "000000000000"}, "13"),
        ({"de_49": "999"}, "12"),
        ({"de_22": None}, "30"),
    ],
)
async def test_a_decline_has_the_response_code_of_the_http_reply(changes: dict[str, Any], iso: str) -> None:
    message = payment(1, **changes)
    one, other = IsoDoor(), IsoDoor()

    assert one.ask(message)["39"] == iso

    if iso not in ("30", "12", "03"):  # the same cannot be said over HTTP, or is answered without a code
        assert (await over_http(other, message))["iso"] == iso


def test_an_unknown_merchant_is_declined_for_a_key_of_all_merchants(door: IsoDoor) -> None:
    assert door.ask(payment(de_42="nobody".ljust(15)), "all")["39"] == "03"
    assert "37" in door.ask(payment(de_42="nobody".ljust(15)), "all")


@pytest.mark.parametrize(("key", "iso"), [("other", "03"), ("viewer", "58"), ("risk", "58")])
@pytest.mark.parametrize("changes", [{}, {"de_95": replacement(1)}])
def test_a_key_may_do_what_it_may_over_http(
    door: IsoDoor, key: str, iso: str, changes: dict[str, Any]
) -> None:
    paid = payment()
    door.ask(paid)
    before = door.engine.replica.seq

    assert door.ask(payment(2), key)["39"] == iso
    assert door.ask(reversal(paid, **changes), key)["39"] == iso
    assert door.engine.replica.seq == before


def test_a_repeat_is_answered_from_memory_and_another_body_is_not(door: IsoDoor) -> None:
    paid = payment()
    first = door.ask(paid)

    assert door.ask(paid) == first
    assert door.ask({**paid, "t": "0101"}) == first
    assert door.ask({**paid, "12": "120000", "55": "9F26", "22": "071"}) == first
    assert door.ask({**paid, "22": "011"})["39"] == "94"
    assert door.ask({**paid, "4": "000000001001"})["39"] == "94"
    assert money(door) == (1_000_000, 1000)


async def test_a_request_that_came_through_the_other_door_is_known(door: IsoDoor) -> None:
    paid = payment()

    first = door.ask(paid)
    again = await over_http(door, paid)
    other = await over_http(door, payment(2, de_2=OTHER_PAN))

    assert (again["replayed"], again["approval"]) == (True, first["38"])
    assert door.ask(payment(2, de_2=OTHER_PAN))["38"] == other["approval"]


@pytest.mark.parametrize("kind", ["0400", "0401", "0420", "0421"])
def test_a_reversal_voids_an_authorise_and_refunds_a_sale(door: IsoDoor, kind: str) -> None:
    held, sold = payment(1), payment(2, "0200", de_2=OTHER_PAN)
    replies = [door.ask(held), door.ask(sold)]

    voided, refunded = door.ask(reversal(held, 3, kind)), door.ask(reversal(sold, 4, kind))

    assert voided["t"] == refunded["t"] == {"0": "0410", "2": "0430"}[kind[2]]
    assert (voided["39"], refunded["39"]) == ("00", "00")
    assert [voided["38"], refunded["38"]] == [each["38"] for each in replies]
    assert voided["90"] == reversal(held)["90"]
    assert money(door) == (1_000_000, 0)


@pytest.mark.parametrize("original", [payment(1), payment(1, "0200")])
@pytest.mark.parametrize("changes", [{}, {"de_95": replacement(400)}])
def test_a_reversal_that_is_repeated_moves_nothing_more(
    door: IsoDoor, original: Message, changes: dict[str, str]
) -> None:
    door.ask(original)
    first = door.ask(reversal(original, 2, "0420", **changes))
    after = money(door)

    again = door.ask(reversal(original, 2, "0421", **changes))
    with_another_number = door.ask(reversal(original, 8, "0421", **changes, de_7="1129130000"))

    assert again == first
    assert (with_another_number["39"], with_another_number["38"]) == ("00", first["38"])
    assert money(door) == after == ((1_000_000, 0) if not changes else (after[0], after[1]))


@pytest.mark.parametrize(("kind", "stays"), [("0100", (1_000_000, 400)), ("0200", (999_600, 0))])
def test_a_reversal_in_part_leaves_the_replacement(door: IsoDoor, kind: str, stays: tuple[int, int]) -> None:
    original = payment(1, kind)
    door.ask(original)

    in_part = door.ask(reversal(original, 2, de_95=replacement(400)))
    assert (in_part["39"], money(door)) == ("00", stays)

    assert door.ask(reversal(original, 3, de_95=replacement(300)))["39"] == "94"
    assert money(door) == stays
    assert door.ask(reversal(original, 4))["39"] == "00"
    assert money(door) == (1_000_000, 0)


def test_a_reversal_in_part_of_what_is_not_there_is_not_found(door: IsoDoor) -> None:
    original = payment(1)

    assert door.ask(reversal(original, 2, de_95=replacement(400)))["39"] == "25"
    assert door.ask(reversal(original, 3, de_95=replacement(0)))["39"] == "00"
    assert door.ask(reversal(original, 4, de_95=replacement(400)))["39"] == "25"
    assert door.ask(original)["39"] == "21"


def test_a_reversal_in_part_is_in_the_currency_of_its_original(door: IsoDoor) -> None:
    original = payment(1)
    door.ask(original)

    assert door.ask(reversal(original, 2, de_95=replacement(400), de_49="392"))["39"] == "12"
    assert door.ask(reversal(original, 2, de_95=replacement(400), de_49=None))["39"] == "00"


@pytest.mark.parametrize("kind", ["0100", "0200"])
def test_a_reversal_that_comes_first_declines_its_original(door: IsoDoor, kind: str) -> None:
    original = payment(1, kind)

    first = door.ask(reversal(original, 2))
    late = door.ask(original)

    assert (first["39"], "38" in first, late["39"]) == ("00", False, "21")
    assert door.ask(reversal(original, 2))["39"] == "00"
    assert money(door) == (1_000_000, 0)


def test_a_reversal_of_a_decline_is_not_open(door: IsoDoor) -> None:
    for stan, kind in ((1, "0100"), (2, "0200")):
        declined = payment(stan, kind, de_102="2")
        assert door.ask(declined)["39"] == "62"
        assert door.ask(reversal(declined, 9))["39"] == "12"


async def test_a_reversal_refunds_what_is_left_of_a_sale(door: IsoDoor) -> None:
    sold = payment(1, "0200")
    name = f"a-{int(door.ask(sold)['37'])}"
    await over_http(door, sold, f"/{name}/refund", request_id="r", amount=300)

    assert door.ask(reversal(sold))["39"] == "00"
    assert money(door) == (1_000_000, 0)


async def test_a_reversal_does_what_the_operations_of_the_http_door_do() -> None:
    one, other = IsoDoor(), IsoDoor()
    held, sold = payment(1), payment(2, "0200", de_2=OTHER_PAN)
    for message in (held, sold, reversal(held, 3, de_95=replacement(1)), reversal(sold, 4)):
        one.ask(message)

    names = [(await over_http(other, message))["payment"] for message in (held, sold)]
    await over_http(other, held, f"/{names[0]}/void", request_id="v", amount=999)
    await over_http(other, sold, f"/{names[1]}/refund", request_id="r")

    assert money(one) == money(other)
    for name in names:
        views = [door.view.payment(int(name[2:])) for door in (one, other)]
        assert views[0] == views[1]


def test_a_network_message_is_answered_and_asks_nothing(door: IsoDoor) -> None:
    before = door.engine.replica.seq

    assert door.ask(ECHO) == {**ECHO, "t": "0810", "39": "00"}
    assert door.ask({**ECHO, "t": "0801", "70": "001"})["39"] == "00"
    assert door.engine.replica.seq == before


@pytest.mark.parametrize("kind", ["0120", "0220", "0300", "0500", "0600", "0402", "0820"])
def test_a_message_of_another_type_is_not_supported(door: IsoDoor, kind: str) -> None:
    reply = door.ask(payment(1, kind))

    assert (reply["39"], reply["t"][:2]) == ("40", kind[:2])


@pytest.mark.parametrize("kind", ["0110", "0130", "0140", "1100", "0000", "0109", "9999"])
def test_to_what_is_no_request_there_is_no_reply(door: IsoDoor, kind: str) -> None:
    with pytest.raises(UnanswerableError, match=f"is of type {kind}"):
        door.ask(payment(1, kind))


def test_what_can_be_answered_of_a_broken_message_is(door: IsoDoor) -> None:
    whole = b"0100" + b"5020000000000000" + b"164111111111111111" + b"000000001000" + b"000042"

    assert door.raw(whole[:-5]) == {"t": "0110", "4": "000000001000", "39": "30", "44": "011"}
    assert door.raw(whole + b"x") == {"t": "0110", "4": "000000001000", "11": "000042", "39": "30"}
    with pytest.raises(UnanswerableError, match="does not begin with a type"):
        door.raw(b"GET / HTTP/1.1")


@pytest.mark.parametrize("number", ["37", "41", "42", "90", "102"])
def test_a_field_that_repeats_the_card_is_refused_and_not_repeated(door: IsoDoor, number: str) -> None:
    pan = "501800000009"
    shown = pan.ljust({"42": 15, "41": 8}.get(number, 12))
    message = payment(de_2=pan)
    message[number] = f"{pan}{0:030}" if number == "90" else shown
    if number == "41":
        message["41"], message["42"] = "T", shown.ljust(15)
        message["41"] = message["41"].ljust(8)

    reply = door.ask(message)

    assert reply["39"] == "30"
    assert all(pan not in text for text in reply.values())


@pytest.mark.parametrize(("closed", "iso"), [(Closed.LATCHED, "96"), (Closed.RECOVERING, "91")])
def test_what_is_not_sent_is_answered_so(closed: Closed, iso: str) -> None:
    door = IsoDoor(gate=FakeGate())
    door.gate.closed = closed

    assert door.ask(payment())["39"] == iso
    assert door.ask(reversal(payment()))["39"] == iso
    assert door.ask(ECHO)["39"] == "00"


def test_what_the_ring_has_no_room_for_is_busy() -> None:
    door = IsoDoor(gate=FakeGate())
    door.gate.room = 0

    assert door.ask(payment())["39"] == "91"


def test_what_is_not_answered_in_time_is_told_so() -> None:
    door, sent = IsoDoor(gate=FakeGate()), list[bytes]()
    door.gate.is_silent = True
    door.desk.submit(owners()["acquirer"], encoded(payment())[2:], sent.append)
    door.turn()
    assert sent == []

    door.now = 1.01
    door.turn()

    assert [each["39"] for each in messages_of(b"".join(sent))] == ["68"]
    assert door.dispatcher.waiting_count == 0


def test_a_door_that_stops_takes_nothing_more(door: IsoDoor) -> None:
    door.desk.is_stopping = True

    assert door.ask(payment())["39"] == "91"
    assert door.engine.s["decided"] == 0


class ForgetfulGate(EngineGate):
    """A port whose engine has let every payment give way when a void by its request comes."""

    def drain(self, limit: int = 1024) -> Any:
        events = super().drain(limit)
        of_void = events["op"] == Op.REVERSE
        events["code"][of_void], events["payment"][of_void] = Code["NOT_FOUND"], 0
        events["decision"][of_void], events["captured"][of_void] = Decision.DECLINE, 0
        return events


def test_a_sale_that_gave_way_is_refunded_by_the_request_that_is_remembered() -> None:
    engine = IsoDoor().engine
    door = IsoDoor(engine, ForgetfulGate(engine))
    held, sold = payment(1), payment(2, "0200", de_2=OTHER_PAN)
    door.ask(held)
    door.ask(sold)

    assert door.ask(reversal(held, 3))["39"] == "25"
    assert door.ask(reversal(sold, 4))["39"] == "00"
    assert money(door) == (1_000_000, 0)
    assert door.ask(reversal(payment(9, "0200"), 5))["39"] == "25"


@pytest.mark.parametrize("kind", ["0100", "0200"])
def test_what_a_void_by_its_request_does_not_find_any_more_is_reversed_all_the_same(
    door: IsoDoor, kind: str
) -> None:
    original = payment(1, kind)
    door.ask(original)
    door.engine.eng_ts += DAY_NS
    door.ask(payment(2, de_102="2"))

    first = door.ask(reversal(original, 3))

    assert (first["39"], money(door)) == ("00", (1_000_000, 0))
    assert door.ask(reversal(original, 4)) == {**first, "11": "000004"}


class RebuiltView:
    """A view of a state that is being rebuilt."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self.is_torn = False

    def payment(self, payment: int) -> Any:
        if self.is_torn:
            raise TornReadError("the engine is rebuilding its state")
        return self._view.payment(payment)


def test_what_cannot_be_looked_up_now_is_busy(door: IsoDoor) -> None:
    view = RebuiltView(door.view)
    rebuilt = IsoDoor(door.engine, view=view)
    sold = payment(1, "0200")
    rebuilt.ask(sold)

    view.is_torn = True

    assert rebuilt.ask(reversal(sold, 2))["39"] == "91"
    assert rebuilt.ask(reversal(sold, 3, de_95=replacement(1)))["39"] == "91"
    view.is_torn = False
    assert rebuilt.ask(reversal(sold, 4))["39"] == "00"
    assert money(door) == (1_000_000, 0)
