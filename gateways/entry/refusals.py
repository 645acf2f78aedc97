"""Refusals: why a command came to nothing, as values in which no protocol is seen.

Each door tells a refusal in the words of its protocol. Before a command is published a door
may refuse; afterwards it may only say that the outcome is unknown (protocol rule 2):
`outcome_unknown`.
"""

from enum import StrEnum
from typing import final

import msgspec

from engine.contract.port import RETRY_AFTER_S, Closed
from engine.trading.instruments import RefusedAtDoor
from engine.trading.records import Reason
from gateways.json_lines.events import REASON_NAMES


class DoorReason(StrEnum):
    """The reasons of doors, whatever they speak; the engine's are those of `Reason`, in lower case."""

    MALFORMED = "malformed"
    UNAUTHORIZED = "unauthorized"
    BUSY = "busy"
    RECOVERING = Closed.RECOVERING.value
    LATCHED = Closed.LATCHED.value
    STOPPING = "stopping"
    OUTCOME_UNKNOWN = "outcome_unknown"


NOT_NOW = frozenset({DoorReason.BUSY, DoorReason.RECOVERING, DoorReason.LATCHED, DoorReason.STOPPING})
"""Reasons that are not the client's: nothing was published, the same command may be sent again."""


@final
class Refusal(msgspec.Struct, frozen=True):
    """One refusal: its reason, what was meant, and of an order only what there is to say.

    reason : a lower-case name of `Reason`, one of `DoorReason`, or one of the door's protocol
    field : the field at fault, None where it is no single one
    seq : the command's number; None for one that was understood and never published
    order_id, order_status, cum_quantity, leaves_quantity : of a duplicate: where the original stands
    original_seq : of a movement of money that is a duplicate: the number of the original
    group : the group of accounts whose limit or latch refuses, or that the command names
    rule, rule_reason, rule_fault : of an order that a rule refuses: its name, its own reason, and whether it
        was because the rule could not compute
    """

    reason: str
    detail: str
    field: str | None = None
    seq: int | msgspec.UnsetType | None = msgspec.UNSET
    order_id: int | msgspec.UnsetType | None = msgspec.UNSET
    client_order_id: int | str | msgspec.UnsetType | None = msgspec.UNSET
    order_status: str | msgspec.UnsetType | None = msgspec.UNSET
    cum_quantity: str | msgspec.UnsetType = msgspec.UNSET
    leaves_quantity: str | msgspec.UnsetType = msgspec.UNSET
    original_seq: int | msgspec.UnsetType = msgspec.UNSET
    group: int | msgspec.UnsetType = msgspec.UNSET
    rule: str | msgspec.UnsetType = msgspec.UNSET
    rule_reason: str | msgspec.UnsetType | None = msgspec.UNSET
    rule_fault: bool | msgspec.UnsetType = msgspec.UNSET


class Refused(ValueError):  # noqa: N818 - an answer, not a fault of ours
    """Exception that refuses a request before anything was published: the client's fault, or a full door."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def malformed(detail: str, field: str | None = None) -> Refused:
    """Refuse what cannot be read as a request."""
    return Refused(Refusal(DoorReason.MALFORMED, detail, field))


def forbidden(detail: str, field: str | None = None) -> Refused:
    """Refuse what the key may not do."""
    return Refused(Refusal(REASON_NAMES[Reason.NOT_PERMITTED], detail, field))


def refused_at_door(refusal: RefusedAtDoor) -> Refused:
    """Refuse a value that no record can carry."""
    shown = repr(refusal.value)
    if len(shown) > 80:
        shown = shown[:80] + "..."
    detail = f"{refusal.field} {shown}: {refusal.detail}"
    return Refused(Refusal(REASON_NAMES[refusal.reason], detail, refusal.field, seq=None))


def busy() -> Refusal:
    """The command ring is full: nothing was published."""
    return Refusal(DoorReason.BUSY, f"the engine's command ring is full; retry after {RETRY_AFTER_S} s")


def not_now(closed: Closed) -> Refusal:
    """The engine takes no commands for now: nothing was published."""
    if closed is Closed.RECOVERING:
        detail = f"the engine rebuilds its state after a restart; retry after {RETRY_AFTER_S} s"
    else:
        detail = "the journal is latched: the engine accepts nothing until an operator has mended it"
    return Refusal(DoorReason(closed.value), detail)


def outcome_unknown(cause: str) -> Refusal:
    """The command was published and its answer did not come: it may or may not take effect."""
    return Refusal(
        DoorReason.OUTCOME_UNKNOWN,
        f"{cause}; the command was handed to the engine and may have taken or may yet take effect. "
        "Send it again with the same client_order_id (a duplicate is refused and says where the order "
        "stands) or ask the API for /v1/orders/client:ID?account=ACCOUNT",
    )
