"""The yardstick: a bare aiohttp POST handler with msgspec on uvloop, no engine, no keys.

python -m perf.bare_http        prints the port it listens on, serves until killed
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import uvloop
from aiohttp import web


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """An order as posted by `perf.load_http`."""

    account: int
    symbol: str
    side: str
    type: str
    price: str
    quantity: str
    client_order_id: int


class BareReply(msgspec.Struct):
    """As much as the door answers."""

    order_id: int
    client_order_id: int
    status: str
    cum_quantity: str
    leaves_quantity: str
    fills: list[int]
    reason: str | None
    seq: int


class Card(msgspec.Struct, forbid_unknown_fields=True):
    """The card of a payment as posted by `perf.load_payments`."""

    pan: str
    expiry: str
    type: str
    issuer_country: str


class Payment(msgspec.Struct, forbid_unknown_fields=True):
    """A payment as posted by `perf.load_payments`."""

    request_id: str
    merchant: str
    op: str
    channel: str
    amount: int
    currency: str
    account: int
    card: Card
    device: str
    ip: str
    sca: bool
    cvv_result: str
    score: int


_decoder = msgspec.json.Decoder(Order)
_payment_decoder = msgspec.json.Decoder(Payment)
_encoder = msgspec.json.Encoder()
PAYMENT_REPLY: dict[str, Any] = {
    "payment": "a-17", "request_id": "", "decision": "APPROVE", "code": "OK", "iso": "00", "field": None,
    "rule": None, "retry": "NONE", "amount": 0, "approved_amount": 0, "currency": "", "state": "open",
    "ruleset": 1, "cohort": "control", "matched": [], "replayed": False, "approval": "00000H", "seq": 17,
}  # fmt: skip
"""As much as the door of payments answers."""


async def post_order(request: web.Request) -> web.Response:
    """Decode an order, encode a reply."""
    order = _decoder.decode(await request.read())
    reply = BareReply(1, order.client_order_id, "open", "0", order.quantity, [], None, 1)
    return web.Response(body=_encoder.encode(reply), content_type="application/json")


async def post_payment(request: web.Request) -> web.Response:
    """Decode a payment, encode a reply."""
    asked = _payment_decoder.decode(await request.read())
    own = {"request_id": asked.request_id, "amount": asked.amount, "currency": asked.currency}
    return web.Response(body=_encoder.encode(PAYMENT_REPLY | own), content_type="application/json")


async def serve() -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/v1/orders", post_order)
    app.router.add_post("/v1/payments", post_payment)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@contextmanager
def bare_server() -> Iterator[int]:
    """Run the bare handler; yield its port."""
    process = subprocess.Popen([sys.executable, "-m", "perf.bare_http"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    uvloop.run(serve())
