"""What a sample processor knows of payments: an outcome for each, and what was reversed."""

from collections import Counter
from dataclasses import dataclass

APPROVED, DECLINED, REVERSED = "approved", "declined", "reversed"


@dataclass(slots=True)
class SampleEntry:
    """One payment; asked : how often it came, reversals : how often its reversal did."""

    outcome: str
    amount: int = 0
    asked: int = 0
    reversals: int = 0
    was_approved: bool = False


class SampleBook:
    """Payments by their id; a second request for one gets the outcome of the first."""

    def __init__(self) -> None:
        self.entries: dict[str, SampleEntry] = {}

    def pay(self, payment: str, amount: int, declines: bool) -> str:
        """Decide on a payment; one that was reversed before it came is declined."""
        entry = self.entries.get(payment)
        if entry is None:
            entry = self.entries[payment] = SampleEntry(DECLINED if declines else APPROVED, amount)
            entry.was_approved = not declines
        entry.asked += 1
        return DECLINED if entry.outcome == REVERSED else entry.outcome

    def reverse(self, payment: str) -> str:
        """Undo a payment, whatever became of it, also one that is still to come."""
        entry = self.entries.setdefault(payment, SampleEntry(REVERSED))
        entry.outcome = REVERSED
        entry.reversals += 1
        return REVERSED

    def counts(self) -> dict[str, int]:
        """Return how many payments there are of each outcome."""
        return dict(Counter(entry.outcome for entry in self.entries.values()))
