"""Which requests of the order door are plain (gateways/process/plain.py): small ones about one command."""

from gateways.process.plain import PlainKind

PLAIN_ORDERS = PlainKind(
    methods=frozenset(("POST", "PATCH", "DELETE")),
    target="/v1/orders",
    not_plain=("/batch",),
    length_max=999,
    headers=("idempotency-key",),
    unique="idempotency-key",
)
