"""What a repeated Idempotency-Key was used for: the same request again, or another one.

The engine refuses every repeat (exchange rule S4) and says where the original stands. It cannot
know whether the bodies were equal: this memory of the door can, for the latest keys.
A key is remembered as the engine knows its order: by the account and the client id.
"""

from hashlib import blake2b

import msgspec

from engine.trading.client_ids import client_id
from engine.trading.records import Reason
from gateways.entry.outcome import OrderReply, Outcome
from gateways.entry.refusals import Refusal
from gateways.http.routes import IDEMPOTENCY_KEY
from gateways.json_lines.fields import Fields

KEYS_MAX = 2**16
_DUPLICATE = Reason.DUPLICATE.name.lower()
REUSED = (
    "this Idempotency-Key was used before with a different body; the order of the first use stands as given"
)


class KeyMemory:
    """The bodies of the latest KEYS_MAX accepted orders that came with a key."""

    def __init__(self) -> None:
        self._bodies: dict[tuple[int, int], bytes] = {}

    def judge(self, owner: str, fields: Fields, body: bytes, result: Outcome) -> Outcome:
        """Remember an accepted body; let a refused repeat say so when its body differs.

        fields : the order as it went to the engine, its account filled in
        """
        is_repeat = isinstance(result, Refusal) and result.reason == _DUPLICATE
        if not (is_repeat or isinstance(result, OrderReply)):
            return result
        number, _ = client_id(fields["client_order_id"], owner)
        name, digest = (fields["account"], number), blake2b(body, digest_size=16).digest()
        if not is_repeat:
            if len(self._bodies) >= KEYS_MAX:
                del self._bodies[next(iter(self._bodies))]
            self._bodies[name] = digest
        elif self._bodies.get(name, digest) != digest:
            return msgspec.structs.replace(result, detail=REUSED, field=IDEMPOTENCY_KEY)
        return result
