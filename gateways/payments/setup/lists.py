"""A line about a list as commands: its entries as keys, many to a command.

Lists have up to a million entries and more, so their keys are made in one pass and laid out by numpy.
"""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.payments.command_words import KEYS_MAX
from engine.payments.records import COMMAND, LIST_REMOVE, ListKind, Op
from gateways.payments.bodies import Fields
from gateways.payments.hashing import Hasher
from gateways.payments.values import (
    ACCOUNT_MAX,
    FORMAT,
    FormRefusal,
    is_device,
    is_email,
    is_pan,
    is_token,
    matching,
    whole,
    word,
)

LISTS = {kind.name.lower(): int(kind) for kind in ListKind}
KEY_WORDS = 2
is_listed_bin = re.compile(r"[0-9]{6}([0-9]{2})?").fullmatch
Keys = npt.NDArray[np.int64]


def list_records(fields: Fields, hasher: Hasher) -> npt.NDArray[np.void]:
    """Return the commands of a line about a list: what is added before what is removed."""
    kind = word(fields["list"], LISTS, "list")
    parts = []
    for name, flags in (("add", 0), ("remove", LIST_REMOVE)):
        if name in fields:
            parts.append(_commands(kind, flags, keys_of(kind, fields[name], name, hasher)))
    records = np.concatenate(parts) if parts else _commands(kind, 0, np.zeros((0, KEY_WORDS), np.int64))
    return records


def keys_of(kind: int, entries: Any, field: str, hasher: Hasher) -> Keys:
    """Return the two words of each entry of a list of this kind."""
    if type(entries) is not list:
        raise FormRefusal(FORMAT, field)
    if kind == ListKind.BLOCK_ACCOUNT:
        accounts = [whole(each, 1, ACCOUNT_MAX, f"{field}[{idx}]") for idx, each in enumerate(entries)]
        return np.array([(account, 0) for account in accounts], np.int64).reshape(-1, KEY_WORDS)
    if kind == ListKind.BLOCK_BIN:
        bins = [matching(each, is_listed_bin, f"{field}[{idx}]") for idx, each in enumerate(entries)]
        return np.array([(int(each), len(each)) for each in bins], np.int64).reshape(-1, KEY_WORDS)
    digests = []
    hashed = _hashed(kind, hasher)
    for idx, entry in enumerate(entries):
        digest = hashed(entry) if type(entry) is str else None
        if digest is None:
            raise FormRefusal(FORMAT, f"{field}[{idx}]")
        digests.append(digest)
    return np.frombuffer(b"".join(digests), "<i8").reshape(-1, KEY_WORDS)


def _hashed(kind: int, hasher: Hasher) -> Any:
    """Return what makes the hash of a text of a list, None where it cannot be an entry."""

    def address(text: str) -> bytes | None:
        try:
            return hasher.ip(text)
        except ValueError:  # it is no address
            return None

    match kind:
        case ListKind.BLOCK_DEVICE:
            return lambda text: hasher.device(text) if is_device(text) else None
        case ListKind.BLOCK_IP:
            return address
        case ListKind.BLOCK_EMAIL:
            return lambda text: hasher.email(text) if is_email(text) else None
    return lambda text: hasher.pan(text) if is_pan(text) else hasher.token(text) if is_token(text) else None


def _commands(kind: int, flags: int, keys: Keys) -> npt.NDArray[np.void]:
    """Return LIST commands with these keys, one without keys where there is none."""
    count = max(1, -(-len(keys) // KEYS_MAX))
    records = np.zeros(count, COMMAND)
    records["op"], records["kind"], records["options"] = Op.LIST, kind, flags
    records["payment"] = KEYS_MAX
    records["payment"][-1] = len(keys) - (count - 1) * KEYS_MAX
    laid_out = np.zeros((count * KEYS_MAX, KEY_WORDS), np.int64)
    laid_out[: len(keys)] = keys
    records["words"][:, : KEYS_MAX * KEY_WORDS] = laid_out.reshape(count, KEYS_MAX * KEY_WORDS)
    return records
