"""Differences that are put up with: a TOML file in which each has an owner and a reason.

[[ignore]]
field = "retry"              a field of the reply, or "status"
pair = "FUNDS>FUNDS"         the codes there and here; left out: any
owner = "payments team"
reason = "the old service never says LATER"
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from engine.contract.errors import UsageError, reason_of
from pinion.parity.answers import FieldDifference, ServiceAnswer

Text = Annotated[str, Meta(min_length=1)]
MEND = 'each [[ignore]] has field, owner and reason, and pair = "OLD>NEW" where it is about one alone'


class Ignored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One difference that is put up with."""

    field: Text
    owner: Text
    reason: Text
    pair: Annotated[str, Meta(pattern="^[^>]+>[^>]+$")] | None = None

    def __str__(self) -> str:
        return f"{self.field} of {self.pair}" if self.pair else self.field


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ignore: tuple[Ignored, ...] = ()


class IgnoreList:
    """What a file puts up with; it notes which of it was met."""

    def __init__(self, ignored: tuple[Ignored, ...] = ()) -> None:
        self._ignored = ignored
        self._met: Counter[Ignored] = Counter()

    def find(self, field: str, pair: str) -> Ignored | None:
        """Return what puts up with a field of a pair of codes, None where nothing does."""
        for each in self._ignored:
            if each.field == field and each.pair in (None, pair):
                self._met[each] += 1
                return each
        return None

    def marked(self, fields: list[FieldDifference], pair: str) -> list[FieldDifference]:
        """Return differences with the reason where one is put up with."""
        marked = []
        for each in fields:
            found = self.find(each.field, pair)
            if found is not None:
                each = msgspec.structs.replace(each, ignored=f"{found.owner}: {found.reason}")
            marked.append(each)
        return marked

    def unmet(self) -> list[Ignored]:
        """Return what was put up with and never met."""
        return [each for each in self._ignored if not self._met[each]]


def pair_of_codes(old: ServiceAnswer, new: ServiceAnswer) -> str:
    """Return the codes of two answers as OLD>NEW."""
    return f"{old.code}>{new.code}"


def load_ignored(path: Path) -> IgnoreList:
    """Return what a file puts up with; raise UsageError that names what is wrong in it."""
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise UsageError(
            f"--ignore {path}: cannot be read ({reason_of(error)}); give another file"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--ignore {path}: {error}; {MEND}") from error
    return IgnoreList(found.ignore)
