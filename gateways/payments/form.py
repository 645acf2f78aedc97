"""The form of a payment: a body becomes a PAY command, or is refused with a code and the field at fault.

The order of judgement is that of decision 30: a JSON object, unknown and repeated fields, a text that repeats
the PAN, missing fields, values. Here the PAN ends: the record has a hash of it, and no text of a refusal has
it either. `operations.py` reads the bodies of captures and the like in the same way.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec

from engine.payments.records import (
    COMMAND,
    COMMAND_VERSION,
    HAS_SCA,
    NOT_GIVEN,
    WANTS_EXPLANATION,
    WANTS_PARTIAL,
    CardType,
    Channel,
    CheckResult,
    Clock,
    Op,
    PayKind,
)
from gateways.payments.bodies import (
    Fields,
    contains,
    object_of,
    pans_of,
    refuse_missing,
    refuse_names,
    refuse_repeated_pan,
)
from gateways.payments.hashing import NOTHING, Hasher
from gateways.payments.values import (
    ACCOUNT_MAX,
    BAD_PAN,
    FORMAT,
    FormRefusal,
    amount_of,
    country_of,
    currency_of,
    flag,
    is_bin,
    is_device,
    is_email,
    is_last4,
    is_merchant,
    is_pan,
    is_request_id,
    is_terminal,
    is_token,
    matching,
    months_of,
    passes_luhn,
    whole,
    word,
)

HEAD = struct.Struct("<3qi4b4q5h6bib3x")
"""A COMMAND up to its words, in the order of its fields."""
PAY_WORDS = struct.Struct("<64s24s16s16s16s16s16s16s16s16s16x")
"""The words of a PAY, or of an operation: three texts, then hashes in the order KEY to OWN_KEY."""
assert HEAD.size + PAY_WORDS.size == COMMAND.itemsize
AHEAD_MS_MAX = 400 * 86_400_000
"""How far `received_at` may be ahead of the machine's clock."""
SCORE_MAX = 1000
BIN_DIGITS = 8
"""Of a PAN, which the first digits are that name its issuer."""


def _words(enum: type[IntEnum], *left_out: IntEnum) -> dict[str, int]:
    return {each.name.lower(): int(each) for each in enum if each not in left_out}


OPS, CHANNELS, CARD_TYPES = _words(PayKind), _words(Channel), _words(CardType)
CVV_RESULTS, AVS_RESULTS = _words(CheckResult, CheckResult.PARTIAL), _words(CheckResult)
REQUIRED = ("request_id", "merchant", "channel", "amount", "currency", "account", "card")
NAMES = frozenset((
    *(*REQUIRED, "op", "terminal", "device", "ip", "email", "ip_country", "sca", "cvv_result"),
    *("avs_result", "score", "allow_partial", "explain", "received_at"),
))  # fmt: skip
CARD_NAMES = frozenset(("pan", "token", "bin", "last4", "expiry", "type", "issuer_country"))
_REQUIRED_SET = frozenset(REQUIRED)
_NOT_COMPARED = ("received_at", "explain")
_canonical = msgspec.json.Encoder(order="sorted").encode


class Asked(NamedTuple):
    """A body in good form: the command, without what the door stamps, and what replies and the door need."""

    record: bytearray
    request_id: str | None
    merchant: str | None = None
    account: int | None = None
    amount: int | None = None
    currency: str | None = None
    fields: Fields | None = None
    """Of a payment that may be forwarded: what was sent, with the card, in memory alone."""


class _Card(NamedTuple):
    """A card as a record has it."""

    digest: bytes
    bin: int
    bin_digits: int
    expiry: int
    kind: int
    issuer_country: int


class PaymentForm:
    """Reads the bodies of payments.

    clock : whether requests bring the time, which is refused elsewhere
    now_ms : the machine's clock, ms since 1970
    keeps_fields : what was sent goes on with the command, for a processor that it is forwarded to
    """

    def __init__(
        self, hasher: Hasher, clock: Clock, now_ms: Callable[[], int], *, keeps_fields: bool = False
    ) -> None:
        self.hasher = hasher
        self._keeps_fields = keeps_fields
        self._has_moments = clock == Clock.REQUEST
        self._now_ms = now_ms

    def pay(self, body: bytes | Fields) -> Asked:
        """Return what a body asks for; raise FormRefusal."""
        fields: Fields = {}
        try:
            fields, is_plain = object_of(body)
            refuse_names(fields, NAMES, CARD_NAMES)
            refuse_repeated_pan(body, fields, is_plain)
            if not fields.keys() >= _REQUIRED_SET:
                refuse_missing(fields, REQUIRED)
            _refuse_incomplete_card(fields["card"])
            return self._asked(fields)
        except FormRefusal as refusal:
            repeat(refusal, fields)
            raise

    def moment(self, fields: Fields) -> int:
        """Return `received_at`, -1 where it is not given."""
        if "received_at" not in fields:
            return NOT_GIVEN
        if not self._has_moments:
            raise FormRefusal(FORMAT, "received_at")
        return whole(fields["received_at"], 0, self._now_ms() + AHEAD_MS_MAX, "received_at")

    def _asked(self, fields: Fields) -> Asked:
        """Judge the values in their order, and fill the command."""
        hasher = self.hasher
        request_id = matching(fields["request_id"], is_request_id, "request_id")
        merchant = matching(fields["merchant"], is_merchant, "merchant")
        kind = word(fields["op"], OPS, "op") if "op" in fields else PayKind.AUTHORISE
        channel = word(fields["channel"], CHANNELS, "channel")
        amount = amount_of(fields["amount"])
        currency = currency_of(fields["currency"])
        account = whole(fields["account"], 1, ACCOUNT_MAX, "account")
        card = self._card(fields["card"])
        terminal, device, ip, email = self._where_from(fields)
        ip_country = country_of(fields["ip_country"], "ip_country") if "ip_country" in fields else NOT_GIVEN
        flags = flag(fields["sca"], HAS_SCA, "sca") if "sca" in fields else 0
        cvv_result = avs_result = score = NOT_GIVEN
        if "cvv_result" in fields:
            cvv_result = word(fields["cvv_result"], CVV_RESULTS, "cvv_result")
        if "avs_result" in fields:
            avs_result = word(fields["avs_result"], AVS_RESULTS, "avs_result")
        if "score" in fields:
            score = whole(fields["score"], 0, SCORE_MAX, "score")
        if "allow_partial" in fields:
            flags |= flag(fields["allow_partial"], WANTS_PARTIAL, "allow_partial")
        if "explain" in fields:
            flags |= flag(fields["explain"], WANTS_EXPLANATION, "explain")
        received_at = self.moment(fields)
        record = bytearray(COMMAND.itemsize)
        HEAD.pack_into(
            record, 0, 0, 0, 0, 0, Op.PAY, COMMAND_VERSION, 0, kind, received_at, account, amount, 0,
            currency.number, card.expiry, score, card.issuer_country, ip_country, currency.exponent,
            channel, card.kind, cvv_result, avs_result, flags, card.bin, card.bin_digits,
        )  # fmt: skip
        PAY_WORDS.pack_into(
            record, HEAD.size, request_id.encode(), merchant.encode(), terminal,
            hasher.request(merchant, request_id), hasher.body(b"pay", compared(fields)),
            card.digest, device, ip, email, NOTHING,
        )  # fmt: skip
        kept = fields if self._keeps_fields else None
        return Asked(record, request_id, merchant, account, amount, fields["currency"], kept)

    def _card(self, given: Any) -> _Card:
        if type(given) is not dict or ("pan" in given and "token" in given):
            raise FormRefusal(FORMAT, "card")
        bin_number, bin_digits = NOT_GIVEN, 0
        if "pan" in given:
            pan = matching(given["pan"], is_pan, "card.pan")
            if not passes_luhn(pan):
                raise FormRefusal(BAD_PAN, "card.pan")
            for name in ("bin", "last4"):
                if name in given:
                    raise FormRefusal(FORMAT, f"card.{name}")
            digest, bin_number, bin_digits = self.hasher.pan(pan), int(pan[:BIN_DIGITS]), BIN_DIGITS
        else:
            digest = self.hasher.token(matching(given["token"], is_token, "card.token"))
            if "bin" in given:
                digits = matching(given["bin"], is_bin, "card.bin")
                bin_number, bin_digits = int(digits), len(digits)
            if "last4" in given:
                matching(given["last4"], is_last4, "card.last4")
        expiry = months_of(given["expiry"], "card.expiry")
        kind = issuer_country = NOT_GIVEN
        if "type" in given:
            kind = word(given["type"], CARD_TYPES, "card.type")
        if "issuer_country" in given:
            issuer_country = country_of(given["issuer_country"], "card.issuer_country")
        return _Card(digest, bin_number, bin_digits, expiry, kind, issuer_country)

    def _where_from(self, fields: Fields) -> tuple[bytes, bytes, bytes, bytes]:
        """Return the terminal's text, and hashes of device, address and e-mail."""
        terminal, device, ip, email = b"", NOTHING, NOTHING, NOTHING
        if "terminal" in fields:
            terminal = matching(fields["terminal"], is_terminal, "terminal").encode()
        if "device" in fields:
            device = self.hasher.device(matching(fields["device"], is_device, "device"))
        if "ip" in fields:
            if type(fields["ip"]) is not str:
                raise FormRefusal(FORMAT, "ip")
            try:
                ip = self.hasher.ip(fields["ip"])
            except ValueError:
                raise FormRefusal(FORMAT, "ip") from None
        if "email" in fields:
            email = self.hasher.email(matching(fields["email"], is_email, "email"))
        return terminal, device, ip, email


def compared(fields: Fields) -> bytes:
    """Return the text by which a repeated request is told from another one: what was sent, keys sorted."""
    if "received_at" in fields or "explain" in fields:
        fields = {name: value for name, value in fields.items() if name not in _NOT_COMPARED}
    return _canonical(fields)


def repeat(refusal: FormRefusal, fields: Fields) -> None:
    """Note what a reply to a refusal may repeat: what is valid, and contains no PAN."""
    pans = pans_of(fields)
    for name, check in (
        ("request_id", lambda value: matching(value, is_request_id, "request_id")),
        ("amount", amount_of),
        ("currency", currency_of),
    ):
        value = fields.get(name)
        try:
            check(value)
        except FormRefusal:  # it is not repeated
            continue
        if not contains(value, pans):
            setattr(refusal, name, value)


def _refuse_incomplete_card(card: Any) -> None:
    if type(card) is dict:
        if "pan" not in card and "token" not in card:
            raise FormRefusal(FORMAT, "card")
        refuse_missing(card, ("expiry",), "card.")
