"""What every door of payments is made of, joined to its ring: form, desk, dispatcher, views."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from engine.contract.instance import HISTORY, counter_name
from engine.contract.port import Port
from engine.payments.records import Clock
from engine.payments.view.counts import StateCounts
from engine.payments.view.live_view import LiveView
from engine.rules.stored import FOLDER
from engine.settings.config import DoorSettings
from gateways.payments.door.desk import PaymentDesk
from gateways.payments.door.dispatch import PaymentDispatcher
from gateways.payments.door.lateness import Lateness
from gateways.payments.door.past import GivenWay, HistoryMarks
from gateways.payments.door.rule_workshop import RuleWorkshop, UserRules
from gateways.payments.form import PaymentForm
from gateways.payments.hashing import Hasher, load_key
from gateways.payments.replies import Replies
from gateways.payments.rule_names import StoredNames

FORWARD = "forward"
"""What the door is told of the processor that payments are forwarded to, where there is one."""


class DoorParts(NamedTuple):
    """The parts of one door."""

    hasher: Hasher
    view: LiveView
    dispatcher: PaymentDispatcher
    given_way: GivenWay
    desk: PaymentDesk
    user_rules: UserRules
    lateness: Lateness


def parts_of(
    door: DoorSettings, gate: Port, on_staged: Callable[[], None], now: Callable[[], float]
) -> DoorParts:
    """Return the parts of a door; on_staged : as for its dispatcher, now : the event loop's time."""
    hasher = Hasher(load_key(Path(door.application["hash_key_file"])))
    clock = Clock[door.application["clock"].upper()]
    form = PaymentForm(hasher, clock, _now_ms, keeps_fields=FORWARD in door.application)
    view = LiveView(gate.state(), gate.state_turn)
    view.warm_up()
    dispatcher = PaymentDispatcher(gate, on_staged)
    given_way = _given_way(gate, view, dispatcher, now)
    folder = door.data_dir / FOLDER
    user_rules = UserRules(RuleWorkshop(folder), StoredNames(folder, view.rules))
    replies = Replies(door.application["instance"], user_rules.names)
    desk = PaymentDesk(form, replies, dispatcher, view.payment, given_way)
    lateness = Lateness(view.trial, dispatcher, gate.next_session(), now)
    desk.time_by(lateness)
    return DoorParts(hasher, view, dispatcher, given_way, desk, user_rules, lateness)


def _given_way(
    gate: Port, view: LiveView, dispatcher: PaymentDispatcher, now: Callable[[], float]
) -> GivenWay:
    """Return the payments that gave way, found again where the instance keeps a history."""
    of_history = (
        partial(gate.counters().__getitem__, counter_name(HISTORY, name)) for name in HistoryMarks._fields
    )
    state = StateCounts(gate.state())
    return GivenWay(
        gate.instance.history,
        state,
        HistoryMarks(*of_history),
        view.disclosures,
        dispatcher,
        gate.next_session(),
        now,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
