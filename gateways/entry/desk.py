"""The order desk: named fields of one command become a staged record, or are refused.

Authorise (key, role, account), complete what the address left out, encode by the shared
JSON codec, stage. The desk also keeps two things the codec asks for: a catalogue that is
as new as the engine's, and the instrument of an order that is being replaced. The latter
comes from live state, or, for an order whose `new` is still on its way, from the desk's
own list: a pipelining client may replace before it has read the acknowledgement.
"""

from collections.abc import Callable, Sequence
from typing import Any

from engine.trading.client_ids import named_by
from engine.trading.instruments import Catalogue, Instrument, RefusedAtDoor, catalogue
from engine.trading.records import UNCHANGED, Op, Reason, Role
from engine.trading.rows import COMMAND_NAMES, row
from engine.trading.view.live_view import LiveView
from engine.trading.view.records import EndedOrder, OrderView
from gateways.entry.dispatch import Dispatcher, Pending
from gateways.entry.outcome import Outcome
from gateways.entry.principals import Principal
from gateways.entry.refusals import NOT_NOW, DoorReason, Refusal, Refused, malformed, refused_at_door
from gateways.entry.rejections import DETAILS
from gateways.entry.reports import Reports
from gateways.entry.rule_files import RuleFiles
from gateways.json_lines import CommandEncoder, EventFormatter, MalformedCommand
from gateways.json_lines.administration import ADMINISTRATION
from gateways.json_lines.events import REASON_NAMES
from gateways.json_lines.fields import Fields
from gateways.json_lines.rules import no_labels
from ringbuf.seqlock import TornReadError

TOLD_BY_NAME = frozenset({"phase", "kill", "reset_latch", "mass_cancel", "session_start", "session_end"})
"""Operations whose events name instruments or currencies, which another door may have defined."""
NAMING_OPS = frozenset({"cancel", "replace"})
TRADING_OPS = frozenset({"new", "cancel", "replace", "mass_cancel"})
STALE_REASONS = frozenset({Reason.UNKNOWN_SYMBOL, Reason.UNKNOWN_CURRENCY})
AMBIGUOUS = -1
"""Two new orders of one id, for different instruments, are on their way."""
TRADER = int(Role.TRADER)  # a plain int: an IntFlag costs more than the rest of the check
_INSTRUMENT, _ACCOUNT, _CLIENT_ORDER_ID, _PX, _QTY = map(
    COMMAND_NAMES.index, ("instrument", "account", "client_order_id", "px", "qty")
)

Answer = Callable[[Outcome], None]


class Desk:
    """The desk of a door: it turns what a principal asks for into staged commands.

    state : array of one STATE record, mapped read-only
    turn : gives its state epoch (see LiveView)
    keys : every key there is: an order may be named by a text that another one gave it
    rule_files : makes ready what an operator sends as rules, and knows their names
    """

    def __init__(
        self,
        state: Any,
        dispatcher_of: Callable[[Reports, Callable[[Any], None]], Dispatcher],
        turn: Callable[[], int] = lambda: 0,
        keys: Sequence[Principal] = (),
        rule_files: RuleFiles | None = None,
    ) -> None:
        self._keys = keys
        self._state = state
        self._view = LiveView(state, turn)
        known = catalogue(state)
        self._encoder = CommandEncoder(known, self._instrument_of, is_live=True)
        self._rule_files = rule_files
        self._formatter = EventFormatter(known, no_labels if rule_files is None else rule_files.labels_of)
        self._in_flight: dict[tuple[int, int], int] = {}
        self._ended_sessions: list[int] = []
        self.reports = Reports(self._formatter)
        self.dispatcher = dispatcher_of(self.reports, self._settled)

    @property
    def catalogue(self) -> Catalogue:
        """The instruments and currencies as last read."""
        return self._encoder.catalogue

    def submit(self, principal: Principal, session: int, fields: Fields, answer: Answer) -> None:
        """Stage one command; `answer` is called once with what it came to. Raises Refused."""
        op = fields.get("op")
        if not isinstance(op, str):
            raise malformed(f"op {op!r:.40}: give the name of an operation", "op")
        if op in TRADING_OPS:
            if not principal.roles & TRADER:
                principal.require(Role.TRADER)
            account = fields.get("account")
            if account is None:
                fields["account"] = self._account_of(principal, fields)
            elif type(account) is int and principal.accounts is not None:
                principal.require_account(account)
        elif op == "kill":
            self._require_kill(principal, fields)
        elif op in ADMINISTRATION:
            principal.require(Role.OPERATOR)
            if op == "time":
                raise _time_is_the_workers()
            if op == "rules" and self._prepares(principal, session, fields, answer):
                return
        row = self._encoded(principal, session, op, fields)
        if self._encoder.new_currencies:
            self._create_currency(principal, session, fields, answer)
            return
        key = None
        if op == "new":
            if row[_CLIENT_ORDER_ID]:
                key = (row[_ACCOUNT], row[_CLIENT_ORDER_ID])
                if self._in_flight.setdefault(key, row[_INSTRUMENT]) != row[_INSTRUMENT]:
                    self._in_flight[key] = AMBIGUOUS
        elif op == "replace":
            _refuse_unresolved(fields, row)
        self.dispatcher.stage(row, Pending(session, answer, key, fields, principal.accounts))

    def _prepares(self, principal: Principal, session: int, fields: Fields, answer: Answer) -> bool:
        """Tell whether a line about rules waits for its files; it is staged then once they are ready."""
        if self._rule_files is None:
            return False

        def go_on(ready: Fields) -> None:
            row = self._encoded(principal, session, "rules", ready)
            self.dispatcher.stage(row, Pending(session, answer, None, ready, principal.accounts))

        return self._rule_files.prepare(fields, principal.name, go_on, answer)

    def session_down(self, session: int) -> None:
        """Tell the engine that a session has ended; asked again until the ring takes it."""

        def told(result: Outcome) -> None:
            if isinstance(result, Refusal) and result.reason in NOT_NOW:
                self._ended_sessions.append(session)

        down = row(op=Op.SESSION_DOWN, roles=Role.ALL, session=session)
        self.dispatcher.stage(down, Pending(session, told))

    def retry_session_downs(self) -> None:
        """Stage again the session ends for which the ring had no room."""
        ended, self._ended_sessions = self._ended_sessions, []
        for session in ended:
            self.session_down(session)

    def refresh(self) -> bool:
        """Read the catalogue anew if the engine knows more than we do; tell whether it did."""
        if self._view.turn() & 1:
            return False  # a restarted worker is rebuilding what would be read
        s = self._state[0]
        known = self._encoder.catalogue
        counts = (len(known.instruments), len(known.currencies))
        if counts == (int(s["books_used"]), int(s["currencies_used"])):
            return False
        self._encoder.catalogue = self._formatter.catalogue = catalogue(self._state)
        return True

    def _encoded(self, principal: Principal, session: int, op: str, fields: Fields) -> Sequence[int]:
        encoder = self._encoder
        encoder.owner = principal.name
        encoder.session = session
        encoder.roles = principal.roles
        if op in TOLD_BY_NAME:
            self.refresh()
        try:
            if op in NAMING_OPS and type(fields.get("client_order_id")) is str:
                encoder.owner = self._owner_of(principal, fields)
            return encoder.row(fields)
        except RefusedAtDoor as refusal:
            if refusal.reason not in STALE_REASONS or not self.refresh():
                raise refused_at_door(refusal) from None
        except MalformedCommand as fault:
            raise malformed(str(fault), fault.field) from None
        return self._encoded(principal, session, op, fields)  # once: now nothing is left to refresh

    def _create_currency(self, principal: Principal, session: int, fields: Fields, answer: Answer) -> None:
        """Create the first currency that a line brings with it, then ask again for the line."""
        code = self._encoder.new_currencies[0]

        def created(result: Outcome) -> None:
            is_there = isinstance(result, Refusal) and result.reason == REASON_NAMES[Reason.ALREADY_DEFINED]
            if isinstance(result, Refusal) and not is_there:
                answer(result)
                return
            self.refresh()
            try:
                self.submit(principal, session, fields, answer)
            except Refused as refused:
                answer(refused.refusal)

        row = self._encoded(principal, session, "currency", {"op": "currency", "currency": code})
        self.dispatcher.stage(row, Pending(session, created))

    def _account_of(self, principal: Principal, fields: Fields) -> int:
        """Return the account that a request without one means: the order's, or the key's only one."""
        order_id = fields.get("order_id")
        if type(order_id) is int:
            order = self._live_order(order_id)
            if order is None or not principal.may_read(order.account):
                # The same answer for both: whose an order is must not be counted out.
                raise _unknown_order("order_id")
            return order.account
        return principal.account_or_sole(None)

    def _require_kill(self, principal: Principal, fields: Fields) -> None:
        """Refuse a kill of what neither is the key's own nor an operator's to stop."""
        if principal.roles & Role.OPERATOR.value:
            return
        order_id, account = fields.get("order_id"), fields.get("account")
        if type(order_id) is not int and type(account) is not int:
            principal.require(Role.OPERATOR)
        principal.require(Role.TRADER)
        if type(order_id) is int:
            self._account_of(principal, fields)
        if type(account) is int:
            principal.require_account(account)

    def _owner_of(self, principal: Principal, fields: Fields) -> str:
        """Return under whose name a text names an order of the account, the asking key's if it names none."""
        account, text = fields.get("account"), fields["client_order_id"]
        if type(account) is int:
            for owner, number in named_by(text, account, principal.name, self._keys):
                if (account, number) in self._in_flight or self._client_order(account, number) is not None:
                    return owner
        return principal.name

    def _client_order(self, account: int, client_order_id: int) -> OrderView | EndedOrder | None:
        try:
            return self._view.client_order(account, client_order_id)
        except TornReadError as torn:
            raise _changing(torn) from None

    def _live_order(self, order_id: int) -> OrderView | None:
        if not 0 < order_id < 2**63:
            return None
        try:
            return self._view.order(order_id)
        except TornReadError as torn:
            raise _changing(torn) from None

    def _instrument_of(self, account: int, client_order_id: int, order_id: int) -> Instrument | None:
        if order_id:
            order = self._live_order(order_id)
            return None if order is None or order.account != account else order.instrument
        idx = self._in_flight.get((account, client_order_id))
        if idx is not None:
            return None if idx == AMBIGUOUS else self._encoder.catalogue.instruments[idx]
        found = self._client_order(account, client_order_id)
        return found.instrument if isinstance(found, OrderView) else None

    def _settled(self, key: tuple[int, int]) -> None:
        self._in_flight.pop(key, None)


def _refuse_unresolved(fields: Fields, row: Sequence[int]) -> None:
    """Refuse a replace whose price or quantity could not be counted: nobody knows the order.

    Published without them it would be a valid replace that changes nothing.
    """
    for name, word in (("price", _PX), ("quantity", _QTY)):
        if fields.get(name) is not None and row[word] == UNCHANGED:
            raise _unknown_order("order_id" if fields.get("order_id") is not None else "client_order_id")


def _unknown_order(field: str) -> Refused:
    name = REASON_NAMES[Reason.UNKNOWN_ORDER]
    return Refused(Refusal(name, DETAILS[Reason.UNKNOWN_ORDER], field, seq=None))


def _time_is_the_workers() -> Refused:
    detail = "a running engine goes by the worker's clock; `time` is for replayed files"
    return Refused(Refusal(REASON_NAMES[Reason.UNSUPPORTED], detail, "op", seq=None))


def _changing(torn: TornReadError) -> Refused:
    return Refused(Refusal(DoorReason.BUSY, f"{torn}; nothing was done, try again"))
