"""Requests out of a data folder's journal as user rules see them: rows of FIELDS."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.contract.errors import ToldError
from engine.payments.name import PAYMENTS
from engine.payments.records import NOT_GIVEN, Op
from pinion.cli.applications import Applications
from pinion.cli.journal.data import data_folder, open_journal_alone, read_layout, require_application
from pinion.cli.payments.user_rules.generated_requests import rows_of

LAST = 2**62
NS_PER_MS = 1_000_000


def journaled_requests(path: Path, count: int, applications: Applications) -> npt.NDArray[np.int64]:
    """Return the last authorises and sales of a journal, so many at most: int64[.., FIELDS].

    path : a data folder, or the journal folder in it; ToldError where it has none
    """
    data_dir = data_folder(path)
    require_application(data_dir, read_layout(data_dir, applications), PAYMENTS)
    found: list[npt.NDArray[np.int64]] = []
    kept = 0
    for records, _, _ in open_journal_alone(data_dir, applications).stretches(LAST):
        entries = records[(records["seq"] > 0) & (records["command"]["op"] == Op.PAY)]
        if len(entries) == 0:
            continue
        found.append(_rows(entries[-count:]))
        kept += len(found[-1])
        while kept - len(found[0]) >= count:
            kept -= len(found.pop(0))
    if not found:
        raise ToldError(f"--data {path}: its journal has no authorise and no sale; leave --data out")
    return np.concatenate(found)[-count:]


def _rows(entries: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    """Return requests as rules see them; where they bring no time, T is the engine's clock."""
    commands = entries["command"].copy()
    by_engine = commands["received_at"] == NOT_GIVEN
    commands["received_at"][by_engine] = entries["eng_ts"][by_engine] // NS_PER_MS
    return rows_of(commands)
