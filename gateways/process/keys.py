"""Bearer keys: whose an Authorization header is, at every door over HTTP.

    Authorization: Bearer TOKEN     the owner of the token
    anything else, or nothing       refused with 401 and CHALLENGE

A token is looked up by its hash, which Python makes with a secret of each start, and compared
only where the whole hash is the same: the time of a refusal says nothing about a known token.
"""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

AUTHORIZATION = "Authorization"
CHALLENGE = 'Bearer realm="pinion"'
"""The WWW-Authenticate header of a 401; RFC 6750 wants a parameter in it."""

Owner = TypeVar("Owner")


class KeyRing(Generic[Owner]):
    """All keys of a door: it finds the owner of a token, or of an Authorization header.

    owners : token -> its owner, in the door's own terms
    refused : makes the door's refusal of a request that has no known key, out of why
    """

    def __init__(self, owners: Mapping[str, Owner], refused: Callable[[str], Exception]) -> None:
        self._by_header = {f"Bearer {token}": owner for token, owner in owners.items()}
        self._refused = refused

    @property
    def owners(self) -> list[Owner]:
        """The owners of all keys."""
        return list(self._by_header.values())

    def of_token(self, token: str) -> Owner | None:
        """Return the owner of a token, None of an unknown one."""
        return self._by_header.get(f"Bearer {token}")

    def of_header(self, header: str | None) -> Owner:
        """Return the owner that the header names; refuse a missing, foreign or misspelt key."""
        if header is None:
            raise self._refused("no Authorization header; send 'Authorization: Bearer KEY'")
        found = self._by_header.get(header)  # as most clients spell it
        if found is not None:
            return found
        scheme, _, token = header.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise self._refused("the Authorization scheme must be Bearer; send 'Authorization: Bearer KEY'")
        found = self.of_token(token.strip())
        if found is None:
            raise self._refused("no such key; send 'Authorization: Bearer KEY' with a configured key")
        return found
