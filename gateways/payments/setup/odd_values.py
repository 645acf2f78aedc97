"""Values of a line of set-up that may be taken, but hardly are what its writer means."""

from collections.abc import Iterator

from engine.payments.records import ListKind
from gateways.payments.bodies import Fields
from gateways.payments.values import is_pan, passes_luhn

CARD_LISTS = [
    kind.name.lower() for kind in (ListKind.LOST, ListKind.STOLEN, ListKind.BLOCK_CARD, ListKind.ALLOW_CARD)
]


def odd_values(fields: Fields) -> Iterator[tuple[str, str]]:
    """Yield the field of each odd value, and what that means; fields : of a line that was judged."""
    for letters, row in fields.get("limits", {}).items():
        least, most = row.get("min"), row.get("max")
        if least is not None and most is not None and least > most:
            yield f"limits.{letters}.min", "is above max: every payment is declined"
    if fields.get("list") in CARD_LISTS:
        odd = [
            idx for idx, each in enumerate(fields.get("add", ())) if is_pan(each) and not passes_luhn(each)
        ]
        if odd:
            others = f", as {len(odd) - 1} more have" if len(odd) > 1 else ""
            yield f"add[{odd[0]}]", f"a card number with a wrong check digit{others}: no payment can have it"
