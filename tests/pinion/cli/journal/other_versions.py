"""Data folders as an earlier version left them, and applications as another version lays out their state."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from engine.contract.application import Application, JournalOwner, identity_of
from engine.contract.records import copy_by_name
from engine.runtime.journal.frames import NPY_HEAD_BYTES, segment_head
from engine.runtime.journal.journal import number_of, open_segment, segment_paths
from pinion.cli.applications import Applications, ApplicationTools
from pinion.cli.journal.data import application_of, read_layout
from tests.engine.runtime.echo import NAME
from tests.engine.runtime.echo_tools import BOTH

Make = Callable[[Mapping[str, int]], Application]


def make_old(data_dir: Path) -> None:
    """Mark segments as versions did that bound them to the state's layout; layout.json says no more then."""
    application, layout = application_of(data_dir, BOTH), read_layout(data_dir, BOTH)
    for path in segment_paths(data_dir / "journal"):
        number = number_of(path)
        era = next((past.application for past in application.past if number < past.number), application)
        head = open_segment(path).head
        made = segment_head(
            JournalOwner(era.entry_dtype, identity_of(era.name, era.state_dtype)),
            epoch=head.epoch,
            number=number,
            first_seq=head.first_seq,
            created_at=head.created_at,
            anchor=head.anchor,
        )
        with path.open("r+b") as file:
            file.seek(NPY_HEAD_BYTES)
            file.write(made)
    fields = msgspec.to_builtins(layout)
    del fields["version"], fields["earlier"]
    (data_dir / "journal" / "layout.json").write_bytes(msgspec.json.encode(fields))


def reordered(state_dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the layout with the fields of the state, and of the records in it, in another order."""

    def turned(dtype: np.dtype[Any]) -> Any:
        if dtype.subdtype is not None:
            return turned(dtype.subdtype[0]), dtype.subdtype[1]
        names = dtype.names
        return dtype if names is None else np.dtype([(each, turned(dtype[each])) for each in reversed(names)])

    return np.dtype(turned(state_dtype))


def laid_out(state_dtype: np.dtype[Any], application: str) -> np.dtype[Any]:
    """Return the layout as another version has it: echo's has a field more."""
    other = reordered(state_dtype)
    if application != NAME:
        return other
    return np.dtype([("sum", "<i8"), *((name, other[name]) for name in other.names or ())])


def _convert_echo(old: Any, new: Any) -> None:
    if "sum" in copy_by_name(old, new, ("out", "out_count", "out_hashed")):
        new["sum"] = old["totals"].sum(axis=1)


def with_rows(change: Callable[[Application], Application]) -> Applications:
    """Return the registry of a version that changed its applications."""

    def row(tools: ApplicationTools) -> ApplicationTools:
        return replace(tools, make=lambda capacities: change(tools.make(capacities)))

    return MappingProxyType({name: (lambda load=load: row(load())) for name, load in BOTH.items()})


def _later(application: Application) -> Application:
    return replace(
        application,
        state_dtype=laid_out(application.state_dtype, application.name),
        convert=_convert_echo if application.name == NAME else application.convert,
    )


LATER = with_rows(_later)
"""The registry of a version whose applications lay out their states in another way."""
