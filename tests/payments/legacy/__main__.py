"""Start the plain service: python -m tests.payments.legacy --port N [--setup FILE] [--fault NAME]..."""

import argparse
import json
import os
import socket
import sys
from pathlib import Path

from aiohttp import web

from tests.payments.legacy.faults import FAULTS
from tests.payments.legacy.server import LineError, application, load
from tests.payments.legacy.service import CLOCKS, Legacy


def main() -> int:
    """Serve until a signal; say when ready, on a line as `pinion payments up` has it."""
    parser = argparse.ArgumentParser(prog="python -m tests.payments.legacy")
    parser.add_argument("--port", type=int, required=True, help="0: any that is free")
    parser.add_argument("--setup", type=Path, help="a file of set-up lines")
    parser.add_argument("--rules", type=Path, help="a JSON object of the rules' settings")
    parser.add_argument("--fault", action="append", default=[], choices=sorted(FAULTS))
    parser.add_argument("--clock", choices=CLOCKS, default="request")
    parser.add_argument("--instance", default="a")
    parser.add_argument("--key-file", type=Path, help="a file with the bearer key; without it none is needed")
    options = parser.parse_args()
    rules = json.loads(options.rules.read_bytes()) if options.rules else None
    service = Legacy(rules, instance=options.instance, clock=options.clock, faults=frozenset(options.fault))
    if options.setup:
        try:
            load(service, options.setup)
        except LineError as error:
            print(f"{options.setup}: {error}", file=sys.stderr)
            return 1
    key = options.key_file.read_text().strip() if options.key_file else None
    with socket.create_server(("127.0.0.1", options.port)) as listening:
        port = listening.getsockname()[1]
        ready = json.dumps({"payments": f"http://127.0.0.1:{port}", "pid": os.getpid()})
        app = application(service, key)
        web.run_app(app, sock=listening, access_log=None, print=lambda _: print("ready", ready, flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
