"""A payment out of history: the columns of its row, and the view that live payments have."""

from collections.abc import Mapping
from typing import Any

from engine.payments.view.live_view import PaymentView

COLUMNS = tuple(name for name in PaymentView.__dataclass_fields__ if name != "disclosed")
"""Of the table `payments`, which calls them so."""
RESTORED_COLUMNS = ("kind", "channel", "card")
"""What else a payment needs that comes back into the state."""


def past_payment(row: Mapping[str, Any], disclosed: int = 0) -> PaymentView:
    """Return a row as a view; disclosed : what its merchant discloses of its code."""
    return PaymentView(**{name: row[name] for name in COLUMNS}, disclosed=disclosed)
