"""Bearer keys: whom an Authorization header names."""

from collections.abc import Iterable

from gateways.entry.principals import GrantedKey, Principal, principal_of
from gateways.entry.refusals import DoorReason, Refusal, Refused


class KeyRing:
    """All keys of a door: it finds the principal of an Authorization header."""

    def __init__(self, keys: Iterable[GrantedKey], sessions: Iterable[int]) -> None:
        self._by_header: dict[str, Principal] = {}
        for key, session in zip(keys, sessions, strict=False):
            self._by_header[f"Bearer {key.token}"] = principal_of(key, session)

    @property
    def principals(self) -> list[Principal]:
        """The owners of all keys."""
        return list(self._by_header.values())

    def principal(self, header: str | None) -> Principal:
        """Return who the header names; refuse a missing, foreign or misspelt key."""
        if header is None:
            raise _unauthorised("no Authorization header; send 'Authorization: Bearer KEY'")
        found = self._by_header.get(header)
        if found is not None:
            return found
        scheme, _, token = header.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorised("the Authorization scheme must be Bearer")
        found = self._by_header.get(f"Bearer {token.strip()}")
        if found is None:
            raise _unauthorised("no such key")
        return found


def _unauthorised(detail: str) -> Refused:
    """Refuse a request without a known key."""
    return Refused(Refusal(DoorReason.UNAUTHORIZED, detail, "Authorization"))
