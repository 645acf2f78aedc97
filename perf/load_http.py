"""A load generator for the order door, in a process of its own (perf/http_generator.py).

    python -m perf.load_http PORT --key KEY --seconds 5 [--rate 3400] [--connections 16]

The loop is closed without a rate, open with one. Each answer is parsed and must be a 200 that echoes its
own client id. The result is one JSON line.

The order flow keeps the book level: of every four orders two are a pair that meets, a buy and a sell
at its price, one is a buy that rests far below and one a sell that takes the best of these; the first
RESTING of such sells are buys instead. With several connections orders may come in another order;
all are accepted either way. Sellers and buyers are different accounts, which never trade with themselves.
"""

import argparse
import sys
from dataclasses import asdict

import msgspec
import numpy as np

from perf.histogram import percentiles
from perf.http_generator import HEAD_END, HttpGenerator, Run

SELLERS = 5
"""Of the demo's ten accounts: the even ones sell, the odd ones buy."""
RESTING = 2000
"""Buys of a session that stay in the book."""
WARM_UP_S = 0.5
CLOSED_RATE_MAX = 40_000
"""Requests a second for which a closed loop is prepared."""


def client_order_id(number: int, session: int) -> int:
    """Return the client id of order `number`; `session` keeps those of runs apart."""
    return session * 2**32 + number + 1


def order_body(number: int, session: int) -> bytes:
    """Return order `number` of a run's flow as JSON."""
    group, place = divmod(number, 4)
    is_sell = place == 1 or (place == 3 and group >= RESTING // 2)
    cents = (
        6_000_000  # one price: of several, a sell above and a buy below would stay when they come crosswise
    )
    if place >= 2:
        cents = 4_000_000 if is_sell else 5_000_000 + group * 7919 % 20_000
    return (
        f'{{"account":{2 * (group % SELLERS) + (2 if is_sell else 1)},"symbol":"BTC-USD",'
        f'"side":"{"sell" if is_sell else "buy"}","type":"limit",'
        f'"price":"{cents // 100}.{cents % 100:02d}","quantity":"0.0001",'
        f'"client_order_id":{client_order_id(number, session)}}}'
    ).encode()


def http_request(body: bytes, key: str) -> bytes:
    """Return a POST of the order."""
    return (
        f"POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def checked(run: Run, bodies: list[bytes], is_bare: bool) -> int:
    """Parse every answer; return how many orders were accepted; raise if one is not its own."""
    accepted = 0
    order_ids: set[int] = set()
    for number, answer in run.answers:
        head, _, body = answer.partition(HEAD_END)
        reply = msgspec.json.decode(body)
        if not head.startswith(b"HTTP/1.1 200"):
            continue
        accepted += 1
        if is_bare:
            continue
        asked = msgspec.json.decode(bodies[number])
        if reply["client_order_id"] != asked["client_order_id"]:
            raise AssertionError(f"answer of another order: {asked} {reply}")
        order_ids.add(reply["order_id"])
    if not is_bare and len(order_ids) != accepted:
        raise AssertionError("two orders share an order id")
    return accepted


def main() -> None:
    """Run as the command line says; print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--key", required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: closed loop")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--session", type=int, default=1, help="keeps the client ids of runs apart")
    parser.add_argument("--bare", action="store_true", help="the server is a handler without engine")
    given = parser.parse_args()
    count = int(CLOSED_RATE_MAX * WARM_UP_S + (given.rate or CLOSED_RATE_MAX) * given.seconds) + 1000
    bodies = [order_body(number, given.session) for number in range(count)]
    requests = [http_request(body, given.key) for body in bodies]
    generator = HttpGenerator(("127.0.0.1", given.port), given.connections, requests)
    generator.closed(WARM_UP_S)
    run = generator.open(given.rate, given.seconds) if given.rate else generator.closed(given.seconds)
    generator.close()
    accepted = checked(run, bodies, given.bare)
    result = {
        "commands": len(run.answers),
        "accepted": accepted,
        "throughput_per_s": len(run.answers) / run.elapsed_s,
        **asdict(percentiles(np.array(run.latencies_ns))),
        "late_ns_max": run.late_ns_max,
    }
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")


if __name__ == "__main__":
    main()
