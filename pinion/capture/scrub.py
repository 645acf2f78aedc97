"""What may be kept of a pair: without card numbers, and without what nobody may keep.

It is done before a pair gets into any queue. Members of these names go, whatever they hold, at any depth:
what stands in SECRET. Everything else stays as it was written, spaces, order and double members too, for
the service may have answered by them; only letters and digits that JSON has as \\u0031, or a form as %31,
are written plainly.
"""

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Collection

from pinion.capture.records import Body
from pinion.capture.surrogates import Surrogates, pans_in

SECRET = (
    *("cvv", "cvv2", "cvc", "cvc2", "pin", "pin_block", "track", "track1", "track2", "track_data"),
    *("authorization", "password", "secret"),
)
UNPACKED_MAX = 1 << 24
"""A packed body that is longer than this once it is unpacked is not kept."""
NOT_KEPT: Body = {"base64": ""}
"""A body that is packed in a way in which nobody can look for card numbers."""

_NAMES = "|".join(SECRET)
_QUOTED = tuple(f'"{name}"' for name in SECRET)
_MEMBER = re.compile(rf'"(?:{_NAMES})"\s*:\s*', re.IGNORECASE)
_PARAMETER = re.compile(rf"(?:(?<=[?&])|^)(?:{_NAMES})=[^&\s]*&?", re.IGNORECASE | re.MULTILINE)
_ESCAPE = re.compile(r"\\(?:u00([0-9A-Fa-f]{2})|.)", re.DOTALL)
_PERCENT = re.compile(r"%([3-7][0-9A-Fa-f])")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"?|[^,}\]\s]*', re.DOTALL)
_NESTED = re.compile(rf'\\+"(?:{_NAMES})\\+"\s*:\s*(?:\\+"[^"\\]*\\+"|[^,}}\]\s"\\]*)\s*,?', re.IGNORECASE)
"""A member of JSON that is itself a text of JSON, where it holds no object or list."""
_COMMA_BEHIND = re.compile(r"\s*,")
_decoder = json.JSONDecoder()


class Scrub:
    """Makes out of what went over the wire what may be kept of it."""

    def __init__(self, surrogates: Surrogates) -> None:
        self._surrogates = surrogates

    def request(self, body: bytes, coding: str) -> tuple[Body, set[str]]:
        """Return what is kept of a request's body, and what its members `pan` say, whole.

        coding : its Content-Encoding, empty where it has none
        """
        plain = unpacked(body, coding)
        if plain is None:
            return NOT_KEPT, set()
        text = text_of(plain)
        if text is None:
            return self._bytes(plain, ()), set()
        text = without_secrets(text)
        pans = pans_in(text)
        return self._surrogates.text(text, pans), pans

    def reply(self, body: bytes, coding: str, pans: Collection[str] = ()) -> Body:
        """Return what is kept of a reply's body.

        pans : what the members `pan` of the request say
        """
        plain = unpacked(body, coding)
        if plain is None:
            return NOT_KEPT
        text = text_of(plain)
        if text is None:
            return self._bytes(plain, pans)
        return self._surrogates.text(without_secrets(text), pans)

    def _bytes(self, body: bytes, pans: Collection[str]) -> Body:
        kept = self._surrogates.text(body.decode("latin-1"), pans).encode("latin-1")
        return {"base64": b64encode(kept).decode()}

    def path(self, path: str, pans: Collection[str] = ()) -> str:
        """Return what is kept of a path and its query."""
        plain = without_parameters(path) if "?" in path else plain_percents(path)
        return self._surrogates.text(plain, pans)

    def header(self, value: str, pans: Collection[str] = ()) -> str:
        """Return what is kept of the value of a header."""
        return self._surrogates.text(value, pans)


def text_of(body: bytes) -> str | None:
    """Return a body as text, None where it is none."""
    coding = json.detect_encoding(body) if b"\0" in body[:4] else "utf-8"
    try:
        text = body.decode(coding)
    except UnicodeDecodeError:
        return None
    # Of other bytes two or four would be taken for one letter each, and hide what stands in them.
    return text if coding == "utf-8" or _is_json(text) else None


def _is_json(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith(("{", "["))


def unpacked(body: bytes, coding: str) -> bytes | None:
    """Return a body without its content coding, None where that is unknown, wrong or too large."""
    if coding in ("", "identity") or not body:
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        return None
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = unpacking.decompress(body, UNPACKED_MAX)
    except zlib.error:
        return None
    return plain if unpacking.eof else None


def plain_escapes(text: str) -> str:
    """Return a text of JSON whose letters and digits are written plainly."""
    return _ESCAPE.sub(_plain, text) if "\\" in text else text


def plain_percents(text: str) -> str:
    """Return a path or a form whose letters and digits are written plainly."""
    return _PERCENT.sub(_plain, text) if "%" in text else text


def without_parameters(text: str) -> str:
    """Return a path or a form without the parameters that nobody may keep."""
    return _PARAMETER.sub("", plain_percents(text))


def _plain(found: re.Match[str]) -> str:
    """Return the letter or digit that a number stands for; what else it stands for stays as it is."""
    letter = chr(int(found[1], 16)) if found[1] else ""
    return letter if letter.isascii() and (letter.isalnum() or letter == "_") else found[0]


def without_secrets(text: str) -> str:
    """Return a text without the members that nobody may keep; also of what is JSON in part, or a form."""
    is_json = _is_json(text)
    text = plain_escapes(text) if is_json else without_parameters(text)
    parts: list[str] = []
    text = _NESTED.sub("", text) if '\\"' in text else text
    lowered = text.lower()
    if not any(member in lowered for member in _QUOTED):
        return text
    at = 0
    while found := _MEMBER.search(text, at):
        parts.append(text[at : found.start()])
        at = _end_of_value(text, found.end())
        comma = _COMMA_BEHIND.match(text, at)
        if comma:
            at = comma.end()
        else:
            _drop_comma(parts)
    return "".join(parts) + text[at:]


def _drop_comma(parts: list[str]) -> None:
    """Take the comma from the end of what stands before a member that was the last one."""
    while parts:
        last = parts.pop().rstrip()
        if last:
            parts.append(last.removesuffix(","))
            return


def _end_of_value(text: str, begin: int) -> int:
    """Return where the value ends that begins here; of what is no JSON the next mark ends it."""
    try:
        return _decoder.raw_decode(text, begin)[1]
    except (ValueError, RecursionError):
        scalar = _SCALAR.match(text, begin)
        return scalar.end() if scalar else begin
