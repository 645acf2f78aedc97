"""How cards, addresses and e-mails are told apart."""

import re
import string
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_VERSION_4 = re.compile(rf"({_BYTE}\.){{3}}{_BYTE}")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@lru_cache(1 << 16)
def network_of(text: str) -> str | None:
    """Return what an IP address counts as: itself, of version 6 its /64; None where it is none."""
    if _VERSION_4.fullmatch(text):
        return text
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    if address.scope_id is not None:
        return None
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{int(address) >> 64:x}/64"


def email_of(text: str) -> str:
    """Return what an e-mail counts as: itself, with the capitals of ASCII made small."""
    return text.translate(_LOWER)


def pan_key(pan: str) -> str:
    """Return what a card counts as that came by its PAN."""
    return f"pan:{pan}"


def token_key(token: str) -> str:
    """Return what a card counts as that came by a token, which is another card."""
    return f"token:{token}"
