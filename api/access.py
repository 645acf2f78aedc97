"""Who may read what: bearer keys bind a caller to accounts.

With keys configured every /v1 route needs one; `/healthz`, `/readyz`, `/metrics`,
`/openapi.json` and the dashboard page carry nothing private and need none. Without any
key configured market data is open and private data is closed to everyone. A token is
looked up by its hash, so the time of a refusal says nothing about a known token.
"""

from collections.abc import Sequence
from hashlib import blake2b
from http import HTTPStatus

from api.problem import ApiProblem
from engine.settings.config import Key

TOKEN_CHARS_MAX = 512
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="pinion"'}


class Access:
    """The configured keys."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._by_digest = {_digest(key.token): key for key in keys}

    @property
    def is_open(self) -> bool:
        """Tell whether market data is open to callers without a key."""
        return not self._by_digest

    def key_of_token(self, token: str) -> Key | None:
        """Return the key of this token, or None."""
        if len(token) > TOKEN_CHARS_MAX:
            return None
        return self._by_digest.get(_digest(token))

    def caller(self, authorization: str | None) -> Key | None:
        """Return the key of an Authorization header; None is the anonymous caller, where allowed."""
        if authorization is None:
            if self.is_open:
                return None
            raise unauthorised("no key given: send `Authorization: Bearer KEY`")
        scheme, _, token = authorization.partition(" ")
        key = self.key_of_token(token.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise unauthorised("unknown key: send `Authorization: Bearer KEY` with a configured key")
        return key


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


def unauthorised(detail: str) -> ApiProblem:
    """Return the refusal of a missing or unknown key."""
    return ApiProblem(
        HTTPStatus.UNAUTHORIZED, "unauthorized", detail, field="Authorization", headers=_CHALLENGE
    )


def _digest(token: str) -> bytes:
    return blake2b(token.encode(errors="surrogatepass"), digest_size=16).digest()
