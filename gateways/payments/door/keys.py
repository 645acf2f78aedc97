"""The keys of the payments door: whose a bearer token is, for which merchants, in which roles."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.payments.records import Role
from engine.settings.config import Key
from gateways.payments.door.refusals import forbidden, unauthorised
from gateways.process.keys import KeyRing

ACQUIRER, RISK, VIEWER = int(Role.ACQUIRER), int(Role.RISK), int(Role.VIEWER)


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The owner of a key, and the session that its requests belong to."""

    name: str
    merchants: frozenset[str] | None  # None: every merchant
    roles: int
    session: int

    @property
    def hides(self) -> bool:
        """Whether it reads only what merchants disclose: it is acquirer alone."""
        return self.roles == ACQUIRER

    @property
    def reads_all(self) -> bool:
        """Whether it may read what belongs to any merchant."""
        return bool(self.roles & (RISK | VIEWER))

    def is_for(self, merchant: str) -> bool:
        """Tell whether the merchant is one of the key's."""
        return self.merchants is None or merchant in self.merchants

    def require(self, role: Role) -> None:
        """Refuse unless the key has one of the roles."""
        if not self.roles & role.value:  # plain integers: a Role's own `&` takes three times as long
            wanted = " or ".join(each.name.lower() for each in Role if each & role and each.name)
            raise forbidden(f"key {self.name!r} lacks the role {wanted}")

    def require_merchant(self, merchant: str) -> None:
        """Refuse a merchant that is not the key's."""
        if not self.is_for(merchant):
            raise forbidden(f"this merchant does not belong to key {self.name!r}", "merchant")


def key_ring(keys: Iterable[Key], sessions: Iterable[int]) -> KeyRing[KeyOwner]:
    """Return the keys, each with a session."""
    owners = {
        key.token: KeyOwner(key.name, None if key.scope is None else frozenset(key.scope), key.roles, session)
        for key, session in zip(keys, sessions, strict=True)
    }
    return KeyRing(owners, unauthorised)
