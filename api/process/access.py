"""Who may read what: bearer keys bind a caller to accounts.

With keys configured every /v1 route needs one; `/healthz`, `/readyz`, `/metrics`,
`/openapi.json` and the dashboard page carry nothing private and need none. Without any
key configured market data is open and private data is closed to everyone.
"""

from collections.abc import Sequence
from enum import IntFlag
from http import HTTPStatus

from api.process.problem import ApiProblem
from engine.settings.config import Key
from gateways.process.keys import AUTHORIZATION, CHALLENGE, KeyRing


class Access:
    """The configured keys.

    is_open : market data is open to callers without a key
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = KeyRing({key.token: key for key in keys}, unauthorised)
        self.is_open = not keys

    def key_of_token(self, token: str) -> Key | None:
        """Return the key of this token, or None."""
        return self._keys.of_token(token)

    def caller(self, authorization: str | None) -> Key | None:
        """Return the key of an Authorization header; None is the anonymous caller, where allowed."""
        if authorization is None and self.is_open:
            return None
        return self._keys.of_header(authorization)


def require_key(key: Key | None) -> Key:
    """Return the caller's key; private data is closed to the anonymous."""
    if key is None:
        raise unauthorised("private data needs a key, and the configuration has none: add [[keys]]")
    return key


def may_read(key: Key, account: int) -> bool:
    """Tell whether the key is bound to this account."""
    return key.accounts is None or account in key.accounts


def require_account(key: Key | None, account: int) -> Key:
    """Return the key if it may read this account, refuse otherwise."""
    known = require_key(key)
    if not may_read(known, account):
        raise ApiProblem(
            HTTPStatus.FORBIDDEN,
            "not_permitted",
            f"key {known.name!r} is not bound to account {account}",
            field="account",
        )
    return known


def require_role(key: Key | None, role: IntFlag) -> Key:
    """Return the key if it has this role of the application, refuse otherwise."""
    known = require_key(key)
    if not known.roles & role:
        name = (role.name or "").lower()
        detail = f"key {known.name!r} lacks the role {name}"
        raise ApiProblem(HTTPStatus.FORBIDDEN, "not_permitted", detail)
    return known


def unauthorised(detail: str) -> ApiProblem:
    """Return the refusal of a missing or unknown key."""
    return ApiProblem(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        detail,
        field=AUTHORIZATION,
        headers={"WWW-Authenticate": CHALLENGE},
    )
