"""`pinion payments capture`: keep what another service is asked and what it answers, through a proxy.

Clients ask the proxy instead of the service and get the service's answers as they are. Each pair of request
and reply is written to DIR, with surrogates in place of card numbers, until a signal or as many pairs as
--limit says. Nobody waits for the disk: what it does not take is dropped and counted.

verify  follow every line of a capture: form, numbers and chain
"""

import argparse
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from engine.contract.errors import UsageError
from engine.settings.addresses import read_address
from gateways.payments.core_dumps import forbid_core_dumps
from gateways.process.start import raise_descriptor_limit
from pinion.capture import serve
from pinion.capture.serve import CaptureAsked, Numbers
from pinion.cli.arguments import whole_argument
from pinion.cli.command import DONE
from pinion.cli.outputs import refuse_overwriting
from pinion.cli.parser import Parser, Subcommands, module_of

STEPS: Subcommands = {
    "verify": (
        "payments.move_over.capture_verify",
        "follow every line of a capture: form, numbers and chain",
    ),
}
CONNECTIONS = 2**14
LIMIT_MAX, LIMIT = 10**12, 50_000


def add_arguments(parser: Parser) -> None:
    """Declare the options; `verify` has its own."""
    parser.add_argument("--listen", metavar="H:P", help="where clients ask, such as 127.0.0.1:8080; P 0: any")
    parser.add_argument("--to", metavar="URL", help="the service that answers, http://HOST:PORT")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="a new folder for the pairs, for its owner alone"
    )
    parser.add_argument(
        "--limit", type=whole_argument(1, LIMIT_MAX, LIMIT), metavar="N", help="end after N pairs"
    )
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE",
        help="the key of the surrogates, so that captures share it (default: DIR/surrogate.key); "
        "made where it is not there",
    )  # fmt: skip
    parser.add_subcommands(STEPS, "step", "[verify]")


def run(args: argparse.Namespace) -> int:
    """Capture until a signal or the limit; or verify."""
    if args.step is not None:
        return int(module_of(STEPS[args.step][0]).run(args))
    asked = asked_of(args)
    forbid_core_dumps()
    raise_descriptor_limit(2 * CONNECTIONS)

    def ready(port: int) -> None:
        told = {"capture": _url(asked.listen[0], port), "to": asked.url, "out": str(asked.folder)}
        print("ready", msgspec.json.encode(told | {"pid": os.getpid()}).decode(), flush=True)

    numbers = serve.run(asked, ready, CaptureProgress())
    print("captured", msgspec.json.encode(numbers).decode(), flush=True)
    return DONE


def asked_of(args: argparse.Namespace) -> CaptureAsked:
    """Return what the options ask for; UsageError names the one that is missing or wrong."""
    for name, example in (("listen", "127.0.0.1:8080"), ("to", "http://127.0.0.1:9000"), ("out", "capture")):
        if getattr(args, name) is None:
            raise UsageError(f"--{name} is missing; give it, such as --{name} {example}")
    listen = read_address(args.listen)
    if listen is None or listen.port is None:
        raise UsageError(f"--listen {args.listen!r}: give HOST:PORT, such as 127.0.0.1:8080")
    to = target_of(args.to)
    if to == (listen.name, listen.port):
        raise UsageError(f"--to {args.to!r}: is the address that --listen gives; name that of the service")
    refuse_overwriting((), {"--out": str(args.out / "records")})
    return CaptureAsked(
        listen=(listen.name, listen.port),
        to=to,
        url=_url(*to),
        folder=args.out,
        key_file=args.key_file,
        limit=args.limit,
    )


def target_of(url: str) -> tuple[str, int]:
    """Return host and port of the service; UsageError where the address is another one."""
    parts = urlsplit(url)
    address = read_address(parts.netloc)
    is_plain = parts.scheme == "http" and parts.path in ("", "/") and not parts.query and not parts.fragment
    if not is_plain or address is None:
        raise UsageError(
            f"--to {url!r}: give http://HOST:PORT without a path; a proxy before and behind speaks TLS"
        )
    return address.name, address.port or 80


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class CaptureProgress:
    """Says on standard error how far a capture is, where something has come."""

    def __init__(self) -> None:
        self._told: Numbers | None = None

    def __call__(self, numbers: Numbers) -> None:
        """Take note of the numbers, once a second."""
        if numbers == self._told:
            return
        rate = numbers.records - (self._told.records if self._told else 0)
        self._told = numbers
        print(
            f"{numbers.records:,} pairs, {rate:,} since the last line; dropped {numbers.dropped:,}, "
            f"not answered {numbers.unanswered:,}, refused {numbers.refused:,}",
            file=sys.stderr,
            flush=True,
        )
