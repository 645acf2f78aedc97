"""What params of user rules are known by outside of them: a key of rule and name, of 64 bits."""

from hashlib import blake2b

from engine.rules.vocabulary import PARAM

KEY_BYTES = 8
PARAM_MIN, PARAM_MAX = PARAM


def param_key(rule: str, name: str) -> int:
    """Return the key of a param: an int64, never 0."""
    digest = blake2b(f"{rule}\0{name}".encode(), digest_size=KEY_BYTES).digest()
    return int.from_bytes(digest, "little", signed=True) or 1
