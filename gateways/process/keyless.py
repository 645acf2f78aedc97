"""Keyless connections: few, few of one address, and the one that waits longest gives way.

A keyed client begins without one, too: it must get in however many others sit there and say
nothing. So a full house does not refuse the newcomer. The one that has had most time goes.
Loopback is no address of its own here: behind a proxy everybody comes from there.
"""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Generic, TypeVar

from engine.settings.addresses import number_of

V6_PREFIX_BITS = 64
"""What one subscriber gets at the least, so its addresses count as one."""

Member = TypeVar("Member")


class Keyless(Generic[Member]):
    """The members without a key, in the order in which they came."""

    def __init__(self, count_max: int, of_address_max: int) -> None:
        assert count_max > 0
        assert of_address_max > 0
        self._count_max = count_max
        self._of_address_max = of_address_max
        self._address_of: dict[Member, str | None] = {}
        self._of_address: dict[str, dict[Member, None]] = {}

    def __len__(self) -> int:
        return len(self._address_of)

    def enter(self, member: Member, address: str | None) -> Member | None:
        """Take a member in; return the one that has to go for it, None where there is room."""
        going = None
        neighbours = self._of_address.get(address) if address is not None else None
        if neighbours is not None and len(neighbours) >= self._of_address_max:
            going = next(iter(neighbours))
        elif len(self._address_of) >= self._count_max:
            going = next(iter(self._address_of))
        if going is not None:
            self.leave(going)
        self._address_of[member] = address
        if address is not None:
            self._of_address.setdefault(address, {})[member] = None
        return going

    def leave(self, member: Member) -> None:
        """Forget a member: it has shown a key, or has gone."""
        address = self._address_of.pop(member, None)
        if address is None:
            return
        neighbours = self._of_address[address]
        del neighbours[member]
        if not neighbours:
            del self._of_address[address]


def quota_address(peer: Any) -> str | None:
    """Return under which address a peer is counted, None for loopback and what has no address."""
    if not isinstance(peer, tuple) or not isinstance(peer[0], str):
        return None
    number = number_of(peer[0].partition("%")[0])
    if number is None:
        return None
    address = ip_address(number)
    if address.is_loopback:
        return None
    if isinstance(address, IPv6Address):
        return str(ip_network((number, V6_PREFIX_BITS), strict=False))
    return number
