"""The keys of the order door: a bearer token names a principal."""

from collections.abc import Iterable

from gateways.entry.principals import GrantedKey, Principal, principal_of
from gateways.entry.refusals import DoorReason, Refusal, Refused
from gateways.process.keys import AUTHORIZATION, KeyRing


def key_ring(keys: Iterable[GrantedKey], sessions: Iterable[int]) -> KeyRing[Principal]:
    """Return the keys, each with the session that its single requests belong to."""
    owners = {key.token: principal_of(key, session) for key, session in zip(keys, sessions, strict=True)}
    return KeyRing(owners, _unauthorised)


def _unauthorised(detail: str) -> Refused:
    return Refused(Refusal(DoorReason.UNAUTHORIZED, detail, AUTHORIZATION))
