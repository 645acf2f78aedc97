"""The signature of what instances of a fleet tell each other, under a key that the store does not have."""

import hashlib
import hmac

SIGNATURE_BYTES = 32


class Signer:
    """Signs for one fleet; hash_key : that of the hashes, which is the same on all instances."""

    def __init__(self, hash_key: bytes, fleet: str) -> None:
        self._key = hashlib.blake2b(
            fleet.encode(), key=hash_key, person=b"pinion rulesets", digest_size=SIGNATURE_BYTES
        ).digest()

    def signed(self, body: bytes) -> bytes:
        """Return a body behind its signature."""
        return self._signature(body) + body

    def opened(self, content: bytes) -> bytes | None:
        """Return the body of what was signed, None where the signature is missing or another one."""
        signature, body = content[:SIGNATURE_BYTES], content[SIGNATURE_BYTES:]
        return body if hmac.compare_digest(signature, self._signature(body)) else None

    def _signature(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._key, digest_size=SIGNATURE_BYTES).digest()
