"""Path and query parameters, checked: every refusal names the field, the value and the mend."""

import re
from collections.abc import Collection
from datetime import UTC, datetime

from aiohttp import web

from api.process.problem import bad_request
from engine.text import numbers, times
from gateways.process.query_string import QueryFault, parameters, refuse_unknown

INT64_MAX = 2**63 - 1
PAGE = 100
PAGE_MAX = 1000
"""Entries of a page, and the most of them."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_OF_A_DAY = 86_400
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def allow_only(request: web.Request, known: Collection[str]) -> None:
    """Refuse a parameter that is not among `known`, is given twice, or has no value."""
    try:
        refuse_unknown(parameters(request.rel_url.raw_query_string), known)
    except QueryFault as fault:
        raise bad_request(fault.parameter, fault.value, fault.detail) from None


def whole_number(text: str, name: str, low: int, high: int) -> int:
    """Return a decimal integer within [low, high]."""
    number = numbers.whole(text)
    if number is None or not low <= number <= high:
        raise bad_request(name, text, f"must be a whole number from {low} to {high} in plain digits")
    return number


def query_number(request: web.Request, name: str, low: int, high: int) -> int | None:
    """Return a numeric query parameter, None where it is not given."""
    text = request.query.get(name)
    return None if text is None else whole_number(text, name, low, high)


def query_limit(request: web.Request, default: int, highest: int) -> int:
    """Return the page size asked for."""
    limit = query_number(request, "limit", 1, highest)
    return default if limit is None else limit


def query_cursor(request: web.Request, start: int) -> int:
    """Return where a page starts; cursors come from the `next_cursor` of the page before."""
    cursor = query_number(request, "cursor", 0, INT64_MAX)
    return start if cursor is None else cursor


def query_time(request: web.Request, name: str) -> int | None:
    """Return a time in ns since 1970, given so or as "2026-01-31T12:00:00Z"; None where it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    if numbers.whole(text) is not None:
        time = whole_number(text, name, 0, INT64_MAX)
        if times.is_of_another_unit(time):
            raise bad_request(name, text, times.NANOSECONDS)
        return time
    return moment_ns(text, name, "ns since 1970")


def moment_ns(text: str, name: str, otherwise: str) -> int:
    """Return a date and time with its zone in ns since 1970; otherwise : what a number would have been."""
    mend = f'must be {otherwise}, or a time with its zone such as "2026-01-31T12:00:00.25Z"'
    # fromisoformat alone takes weeks and days of the year, and drops what is finer than a microsecond.
    if _MOMENT.fullmatch(text) is None:
        raise bad_request(name, text, mend)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise bad_request(name, text, mend) from None
    since = moment - EPOCH
    whole = (since.days * SECONDS_OF_A_DAY + since.seconds) * 1_000_000 + since.microseconds
    if not 0 <= whole <= INT64_MAX // 1000:
        raise bad_request(name, text, mend)
    return whole * 1000


def account_number(text: str) -> int:
    """Return an account number."""
    return whole_number(text, "account", 1, INT64_MAX)
