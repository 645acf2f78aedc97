"""`pinion payments traffic`: requests and a set-up that reach every code and every cell, from a seed.

The requests are JSON lines {"method", "path", "body"}, in the order in which they are to be sent. A line of
set-up among them is a request to the admin's address. The id of a payment is not known beforehand: `$17` in
a path stands for the payment that the reply to line 17 names. A body that is a text is sent as it stands,
for it is no JSON, or has a field twice.

It is made for the rules as they are where settings say nothing, with `bin_declines_1h = 6` and
`email_cards_24h = 2`, which are off there, and for the clock of requests.
"""

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from perf.traffic.items import PAY, REVERSE, SET_UP, VOID, Body, Item
from perf.traffic.settings import DEFAULTS
from perf.traffic.traffic import Traffic
from pinion.cli.arguments import whole_argument
from pinion.cli.command import DONE
from pinion.cli.outputs import STREAM, output, refuse_overwriting

PAYMENTS = "/v1/payments"
ADMIN = f"{PAYMENTS}/admin"
COUNT, COUNT_MAX, SEED_MAX = 50_000, 1_000_000, 2**63 - 1
NOBODY = "0"
"""A line that there is not: no payment has such an id."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--seed",
        type=whole_argument(0, SEED_MAX, 7),
        default=0,
        metavar="N",
        help="which traffic (default 0)",
    )
    parser.add_argument(
        "--count",
        type=whole_argument(1, COUNT_MAX, COUNT),
        default=COUNT,
        metavar="N",
        help="how many requests (default %(default)s)",
    )
    parser.add_argument("--out", default=STREAM, metavar="FILE", help="requests; - for stdout, the default")
    parser.add_argument("--setup", metavar="FILE", help="set-up lines that come before them")


def run(args: argparse.Namespace) -> int:
    """Write the requests, and the set-up where a file is named."""
    refuse_overwriting([], {"--out": args.out, "--setup": args.setup})
    traffic = Traffic(args.seed, settings=DEFAULTS)
    if args.setup is not None:
        with output(args.setup) as file:
            file.writelines(map(line_of, traffic.set_up))
    with output(args.out) as file:
        file.writelines(line_of(request) for request in requests(traffic, args.count))
    return DONE


def requests(traffic: Traffic, count: int) -> Iterator[Body]:
    """Yield the first requests of a traffic."""
    for item in islice(traffic, count):
        yield {"method": "POST", "path": path_of(item), "body": item.body}


def path_of(item: Item) -> str:
    """Return the address of an item; `$` and a number stand for the payment that the line's reply names."""
    if item.kind == PAY:
        return PAYMENTS
    if item.kind == SET_UP:
        return ADMIN
    if item.kind == REVERSE:
        return f"{PAYMENTS}/{VOID}"
    return f"{PAYMENTS}/${item.of + 1 if item.of >= 0 else NOBODY}/{item.kind}"


def line_of(value: Any) -> bytes:
    """Return a value as a line of JSON, escaped to ASCII: a text may hold what is no Unicode."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
