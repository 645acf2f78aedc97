"""Who reads payments: a viewer and risk all of them, an acquirer those of its merchants.

Whoever is acquirer alone reads a code as its merchant discloses it, so a list that is narrowed by code
must not tell what the codes hide: a payment counts as what its reader sees.
"""

from dataclasses import dataclass
from http import HTTPStatus

from api.process.access import require_key
from api.process.problem import ApiProblem
from engine.payments.records import Role
from engine.settings.config import Key


@dataclass(frozen=True, slots=True)
class Reader:
    """What a key may read; merchants None: those of all."""

    name: str
    merchants: tuple[str, ...] | None
    hides: bool
    """Whether it reads what merchants disclose, and no more."""

    def narrowed(self, merchant: str | None) -> tuple[str, ...] | None:
        """Return the merchants whose payments are listed, one of them where it is asked for."""
        if merchant is None:
            return self.merchants
        if self.merchants is not None and merchant not in self.merchants:
            detail = f"this merchant does not belong to key {self.name!r}"
            raise ApiProblem(HTTPStatus.FORBIDDEN, "not_permitted", detail, field="merchant")
        return (merchant,)


def reader_of(key: Key | None) -> Reader:
    """Return what the caller may read; without a key nothing."""
    known = require_key(key)
    reads_all = bool(known.roles & (Role.RISK | Role.VIEWER))
    return Reader(known.name, None if reads_all else known.scope, known.roles == Role.ACQUIRER)


def require_reads_all(key: Key | None) -> Key:
    """Return the caller's key; refuse whoever may not see more than payments of merchants."""
    known = require_key(key)
    if not known.roles & (Role.RISK | Role.VIEWER):
        detail = f"key {known.name!r} lacks the role risk or viewer"
        raise ApiProblem(HTTPStatus.FORBIDDEN, "not_permitted", detail)
    return known
