"""Which payment a request has become, by the key under which its answer is remembered.

For whoever knows a payment by merchant and request alone, as a reversal does that names its original.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from engine.contract.state_turn import whole
from engine.payments.kernels.windows import DAY_MS
from engine.payments.view.live_view import CHAIN_MAX, LOOKS_MAX
from ringbuf.seqlock import TornReadError


class RememberedRequest(NamedTuple):
    """The payment of a request; is_old : for a day, so that by its request the engine finds it no more."""

    payment: int
    is_old: bool


class RememberedRequests:
    """Looks into the remembered answers of one state.

    Parameters
    ----------
    state : array of one STATE record, shared or private
    turn : gives the state epoch, odd while the state is being rebuilt; left out for one that never is
    """

    def __init__(self, state: Any, turn: Callable[[], int] = lambda: 0) -> None:
        self.turn = turn
        self._buckets, self._answers = state["answer_bucket"][0], state["answers"][0]
        self._seq, self._now = state["seq"], state["now"]

    @whole
    def request(self, first: int, second: int) -> RememberedRequest | None:
        """Return what a key stands for, None where that is no payment; TornReadError."""
        for _ in range(LOOKS_MAX):
            before = int(self._seq[0])
            found = self._found(first, second)
            if int(self._seq[0]) == before:
                return found
        raise TornReadError(f"the remembered answers were being written at each of {LOOKS_MAX} looks")

    def _found(self, first: int, second: int) -> RememberedRequest | None:
        at = int(self._buckets[first & (len(self._buckets) - 1)]) - 1
        for _ in range(CHAIN_MAX):
            if not 0 <= at < len(self._answers):
                break
            key = self._answers[at]["key"]
            if key[0] == first and key[1] == second:
                row = self._answers[at].copy()
                is_of_key = row["key"][0] == first and row["key"][1] == second
                is_payment = is_of_key and row["payment"] > 0 and not row["is_reversal"]
                is_old = bool(self._now[0] - row["at"] >= DAY_MS)
                return RememberedRequest(int(row["payment"]), is_old) if is_payment else None
            at = int(self._answers[at]["chain"]) - 1
        return None
