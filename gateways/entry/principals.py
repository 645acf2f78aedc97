"""Principals: who asks, for which accounts, in which roles.

The configuration binds each key to accounts and roles once, at the start. A door
refuses here; the kernel checks the stamped account and role bits again.
"""

from dataclasses import dataclass
from typing import Protocol

from engine.trading.records import Role
from gateways.entry.refusals import forbidden, malformed


class GrantedKey(Protocol):
    """One `[[keys]]` entry of the configuration."""

    @property
    def token(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def accounts(self) -> tuple[int, ...] | None: ...
    @property
    def roles(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Principal:
    """The owner of a key: what it may touch, and the session its single requests belong to."""

    name: str
    accounts: frozenset[int] | None  # None: every account
    roles: int
    session: int

    def require(self, role: Role) -> None:
        """Refuse unless the key holds one of the roles in `role`."""
        if not self.roles & role.value:  # plain integers: a Role's own `&` takes three times as long
            wanted = " or ".join(each.name.lower() for each in Role if each & role and each.name)
            raise forbidden(f"key {self.name!r} lacks the role {wanted}")

    def may_read(self, account: int) -> bool:
        """Tell whether the account is the key's."""
        return self.accounts is None or account in self.accounts

    def require_account(self, account: int) -> None:
        """Refuse an account that is not the key's, in the same words whether there is such an account."""
        if not self.may_read(account):
            raise forbidden(f"account {account} does not belong to key {self.name!r}", "account")

    def account_or_sole(self, account: int | None) -> int:
        """Return the account given, or the key's only one."""
        if account is not None:
            self.require_account(account)
            return account
        if self.accounts is not None and len(self.accounts) == 1:
            return next(iter(self.accounts))
        raise malformed(f"say which account: key {self.name!r} has several", "account")


def principal_of(key: GrantedKey, session: int) -> Principal:
    """Return the owner of a key."""
    accounts = None if key.accounts is None else frozenset(key.accounts)
    return Principal(key.name, accounts, key.roles, session)
