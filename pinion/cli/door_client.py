"""A door of a running instance as the command line asks it: where it is, by which key, what it says."""

import argparse
import http.client
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from engine.contract import instance
from engine.contract.errors import ToldError, UsageError
from engine.settings.demo_key import DEMO_KEY_FILE

TIMEOUT_S = 15.0
OK = 200


class RefusedByDoorError(ToldError):
    """A door that refuses what it was asked, or does not answer."""


class DoorClient(NamedTuple):
    """A door and a key of it."""

    host: str
    port: int
    key: str

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, timeout_s: float = TIMEOUT_S
    ) -> Any:
        """Return the document that a request is answered with; RefusedByDoorError where it is refused."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else msgspec.json.encode(body), headers)
            answer = connection.getresponse()
            status, raw = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise RefusedByDoorError(f"http://{self.host}:{self.port}: no answer ({error})") from error
        finally:
            connection.close()
        try:
            document = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            document = {}
        if status != OK:
            field = document.get("field")
            detail = document.get("detail") or f"status {status}"
            is_named = not field or field in detail
            raise RefusedByDoorError(detail if is_named else f"{field}: {detail}")
        return document


def add_door_arguments(parser: argparse.ArgumentParser, default: Path) -> None:
    """Declare the options that say which door, and by which key; default : data folder."""
    parser.add_argument(
        "--data", type=Path, default=default, metavar="DIR", help="data folder (default %(default)s)"
    )
    parser.add_argument(
        "--to", metavar="URL", help="the door (default: that of the instance on the data folder)"
    )
    parser.add_argument("--key", metavar="KEY", help="bearer key (default: that of DIR/demo.key)")


def door_of(args: argparse.Namespace, section: str, what: str) -> DoorClient:
    """Return the door of a section that the options name; UsageError, PortError where there is none.

    what : the door in words
    """
    url = args.to or instance.read(args.data.resolve()).doors.get(section, "")
    address = urlsplit(url)
    if address.scheme != "http" or not address.hostname or not address.port:
        raise UsageError(f"--to {url!r}: give http://HOST:PORT of {what}")
    return DoorClient(address.hostname, address.port, args.key or _demo_key(args.data))


def _demo_key(data_dir: Path) -> str:
    path = data_dir / DEMO_KEY_FILE
    try:
        return path.read_text().strip()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give --key KEY") from error
