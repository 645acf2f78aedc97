"""Every form of an event is reached, and takes no more slots than it says."""

import numpy as np
import numpy.typing as npt
import pytest

from engine.contract.spread import COUNT_MASK, FORM_BITS, MARK_WORD
from engine.trading.event_forms import FORMS, PREVENTED_APART, REPLACED, SPREAD
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import replica_over, sequenced
from engine.trading.records import EventKind
from tests.capacities import SMALL
from tests.engine.trading.engine_side import Engine
from tests.flows import commands_of

Words = npt.NDArray[np.int64]
SEEDS = range(4)
COUNT = 1000


def slots_of_flow(seed: int) -> Words:
    """Return the events of a flow, in slots."""
    engine = Engine()
    for command in commands_of(seed, COUNT):
        engine.submit(command)
    state = new_state(SMALL)
    made = replica_over(state).slots_of(sequenced(engine.recorded(), state))
    return np.concatenate([slots.copy() for slots in made])


@pytest.fixture(scope="module")
def flows() -> list[Words]:
    return [slots_of_flow(seed) for seed in SEEDS]


def forms_of(slots: Words) -> list[int]:
    """Return the form of every event."""
    found, at = [], 0
    while at < len(slots):
        mark = int(slots[at, MARK_WORD])
        form, count = (mark >> FORM_BITS) & COUNT_MASK, mark & COUNT_MASK
        assert count == len(FORMS[form].slots)
        found.append(form)
        at += count
    return found


def test_flows_reach_every_form(flows: list[Words]) -> None:
    reached = {form for slots in flows for form in forms_of(slots)}

    assert reached == set(range(len(FORMS)))


def test_what_forms_leave_out_follows(flows: list[Words]) -> None:
    events = np.concatenate([SPREAD.events_of(slots) for slots in flows])

    replaced = events[events["kind"] == EventKind.REPLACED]
    prevented = events[events["kind"] == EventKind.PREVENTED]
    forms = np.array([form for slots in flows for form in forms_of(slots)])
    is_apart = forms[events["kind"] == EventKind.PREVENTED] == PREVENTED_APART

    assert (replaced["leaves_qty"] == replaced["qty"] - replaced["cum_qty"]).all(), f"form {REPLACED}"
    assert ((prevented["maker_account"] == prevented["account"]) == ~is_apart).all()
    assert is_apart.any()
    assert not prevented["fee"].any()
    assert len(replaced) > 50
    assert len(prevented) > 50


def test_positions_and_indices_are_dense(
    flows: list[Words],
) -> None:
    for slots in flows:
        events = SPREAD.events_of(slots)

        assert (slots[:, 0] == np.arange(len(slots))).all()
        assert (events["event_idx"] == np.arange(len(events))).all()
        assert (np.diff(events["seq"]) >= 0).all()
