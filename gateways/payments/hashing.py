"""Hashes of what no record may hold in clear: cards, devices, addresses, e-mails, bodies, ids.

    BLAKE2b of 128 bits, keyed, over  kind | value

The kind in front keeps a PAN and a token of the same digits apart. Whoever has the journal and not
the key cannot try out card numbers. The key is one for a fleet, so that its instances know a
card by one hash; its fingerprint stands in the journal, and it is in no archive.
"""

import os
import secrets
import stat
import struct
from enum import IntEnum
from hashlib import blake2b
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton

from engine.contract.errors import ToldError, reason_of

KEY_BYTES = 32
DIGEST_BYTES = 16
NOTHING = bytes(DIGEST_BYTES)
"""What stands for a value that was not given."""
V6_NETWORK_BYTES = 8
_MAPPED = bytes(10) + b"\xff\xff"
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_WORDS = struct.Struct("<2q")


class HashKind(IntEnum):
    """What a hash is of; the numbers stand in front of what is hashed and are never reused."""

    PAN = 1
    TOKEN = 2
    DEVICE = 3
    IP = 4
    EMAIL = 5
    BODY = 6
    REQUEST = 7
    OPERATION = 8
    REVERSAL = 9
    DEPOSIT = 10
    FINGERPRINT = 11


class HashKeyError(ToldError):
    """A file that holds no key of hashes, or one that others can read."""


class Hasher:
    """Makes the hashes of one key, each as the 16 bytes that lie in a record."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_BYTES
        keyed = blake2b(digest_size=DIGEST_BYTES, key=key)
        self._begun = []  # by kind, so that the key and the kind are hashed once
        for kind in range(max(HashKind) + 1):
            begun = keyed.copy()
            begun.update(bytes((kind,)))
            self._begun.append(begun)

    def of(self, kind: int, value: bytes) -> bytes:
        """Return the hash of a value of this kind."""
        begun = self._begun[kind].copy()
        begun.update(value)
        return begun.digest()

    def pan(self, digits: str) -> bytes:
        """Return the hash of a card that is known by its PAN."""
        return self.of(HashKind.PAN, digits.encode())

    def token(self, token: str) -> bytes:
        """Return the hash of a card that is known by a token: another card than any PAN."""
        return self.of(HashKind.TOKEN, token.encode())

    def device(self, device: str) -> bytes:
        """Return the hash of a device's name."""
        return self.of(HashKind.DEVICE, device.encode())

    def ip(self, text: str) -> bytes:
        """Return the hash of an address, of version 6 that of its /64; ValueError where it is none."""
        return self.of(HashKind.IP, network_of(text))

    def email(self, email: str) -> bytes:
        """Return the hash of an e-mail's address, whose ASCII capitals count as small letters."""
        return self.of(HashKind.EMAIL, email.encode().translate(_LOWER))

    def body(self, operation: bytes, canonical: bytes) -> bytes:
        """Return the hash of what was asked, by which a repeated request is told from another one."""
        return self.of(HashKind.BODY, operation + b"\0" + canonical)

    def request(self, merchant: str, request_id: str) -> bytes:
        """Return the key by which a payment's request is remembered."""
        return self.of(HashKind.REQUEST, f"{merchant}\0{request_id}".encode())

    def operation(self, request_id: str) -> bytes:
        """Return the key by which an operation is remembered among those of its payment."""
        return self.of(HashKind.OPERATION, request_id.encode())

    def reversal(self, merchant: str, request_id: str) -> bytes:
        """Return the key by which a void by merchant and request is remembered."""
        return self.of(HashKind.REVERSAL, f"{merchant}\0{request_id}".encode())

    def deposit(self, account: int, deposit_id: str) -> bytes:
        """Return the key by which a deposit is remembered."""
        return self.of(HashKind.DEPOSIT, f"{account}\0{deposit_id}".encode())

    def fingerprint(self) -> bytes:
        """Return what tells one key from another and says nothing about it."""
        return self.of(HashKind.FINGERPRINT, b"")


def network_of(text: str) -> bytes:
    """Return what an address counts as: 4 bytes of version 4, 8 of version 6; ValueError where it is none."""
    try:
        if ":" not in text:
            return inet_pton(AF_INET, text)
        number = inet_pton(AF_INET6, text)
    except OSError:
        raise ValueError("not an address") from None
    if number.startswith(_MAPPED):
        return number[len(_MAPPED) :]
    return number[:V6_NETWORK_BYTES]


def hash_words(digest: bytes) -> tuple[int, int]:
    """Return a hash as the two words of a record."""
    first, second = _WORDS.unpack(digest)
    return first, second


def load_key(path: Path) -> bytes:
    """Return the key that a file holds; it is made, for its owner alone, where there is none yet."""
    if path.exists():
        return _read(path)
    try:
        return _made(path)
    except FileExistsError:  # another process was faster
        return _read(path)
    except OSError as error:
        raise HashKeyError(
            f"payments.hash_key_file = {str(path)!r}: cannot be made ({reason_of(error)}); "
            f"give a path within a folder that this user may write to"
        ) from error


def _made(path: Path) -> bytes:
    """Make a file with a new key; it has its name only once it is whole."""
    key = secrets.token_bytes(KEY_BYTES)
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        os.link(begun, path)
    finally:
        begun.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # what is journaled from now on means nothing without the key
    finally:
        os.close(folder)
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise HashKeyError(
            f"payments.hash_key_file = {str(path)!r}: cannot be read ({reason_of(error)}); "
            f"make it readable for its owner"
        ) from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise HashKeyError(
            f"payments.hash_key_file = {str(path)!r}: others than its owner may read or change it "
            f"(mode {mode & 0o777:03o}); chmod 600 it"
        )
    if len(key) != KEY_BYTES:
        raise HashKeyError(
            f"payments.hash_key_file = {str(path)!r}: a key has {KEY_BYTES} bytes, this file another number; "
            f"restore the one that the fleet uses"
        )
    return key
