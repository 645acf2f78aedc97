"""The yardstick: a bare aiohttp POST handler with msgspec on uvloop, no engine, no keys.

python -m perf.bare_http        prints the port it listens on, serves until killed
"""

import asyncio
import sys

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


_decoder = msgspec.json.Decoder(Order)
_encoder = msgspec.json.Encoder()


async def post_order(request: web.Request) -> web.Response:
    """Decode an order, encode a reply."""
    order = _decoder.decode(await request.read())
    reply = BareReply(1, order.client_order_id, "open", "0", order.quantity, [], None, 1)
    return web.Response(body=_encoder.encode(reply), content_type="application/json")


async def serve() -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/v1/orders", post_order)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
