"""The plain service's side of the comparison: it is asked what the engine is asked, under the same seqs."""

from perf.traffic.items import PAY, REVERSE, SET_UP, VOID, Body, Item
from tests.payments.engine_side import INSTANCE, NOW_MS, with_disclosed
from tests.payments.legacy.codes import Reply
from tests.payments.legacy.service import Legacy


class LegacySide:
    """A plain service that answers a traffic; `settings` are those of its rules."""

    def __init__(self, settings: Body, faults: frozenset[str] = frozenset(), user_rules: str = "") -> None:
        self.service = Legacy(settings, instance=INSTANCE, faults=faults, user_rules=user_rules)

    def answer(self, item: Item, seq: int, payment: int) -> Reply:
        """Answer an item.

        seq : the one that its command has, of several the last; where it is refused the next one
        payment : the number of the payment that an operation is on
        """
        service, body = self.service, item.body
        service.seq = seq - 1
        if item.kind == SET_UP:
            reply = service.set_up(body)  # type: ignore[arg-type]  # a line is an object
            return {name: reply[name] for name in ("code", "iso", "replayed")}
        given = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        if item.kind == PAY:
            reply = service.pay(given, NOW_MS)
        elif item.kind == REVERSE:
            reply = service.operate(VOID, None, given, NOW_MS)
        else:
            reply = service.operate(item.kind, f"{INSTANCE}-{payment}", given, NOW_MS)
        return reply if reply["seq"] is None else with_disclosed(reply, service.disclosed(reply))
