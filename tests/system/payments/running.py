"""A whole instance of payments in processes of its own, and one connection to its door."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.contract import instance
from tests.system.running import Running

JSON, PROBLEM = "application/json", "application/problem+json"
Body = dict[str, Any]


class RunningPayments(Running):
    """A `pinion payments up` that was started by a test, on the ports that its configuration leaves open."""

    command = ("payments", "up")


def write_settings(folder: Path, set_up: str, settings: str = "") -> tuple[str, ...]:
    """Write a configuration and a set-up beside a data folder; return the options that name them.

    settings : more of the configuration: of the section [payments] first
    """
    config, lines = folder / "payments.toml", folder / "set-up.jsonl"
    config.write_text(f"[api]\nport = 0\n[payments]\nport = 0\n{settings}")
    lines.write_text(set_up)
    return "--config", str(config), "--setup", str(lines)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door answered; status 0: nothing, and `reply` says why."""

    status: int
    reply: Body
    content: str = ""

    @property
    def code(self) -> str:
        """The code of the reply, "" for what has none."""
        return str(self.reply.get("code", ""))


class Caller:
    """One connection to the door of an instance, made again where it was lost."""

    def __init__(self, data_dir: Path, key: str, timeout_s: float = 20.0) -> None:
        self._data_dir = data_dir
        self._timeout_s = timeout_s
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": JSON}
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: Body | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request; return the answer, or that there was none."""
        content = body if body is None or isinstance(body, str) else json.dumps(body)
        try:
            if self._connection is None:
                host = instance.read(self._data_dir).doors["payments"].removeprefix("http://")
                self._connection = http.client.HTTPConnection(host, timeout=self._timeout_s)
            self._connection.request(method, path, content, {**self._headers, **(headers or {})})
            answer = self._connection.getresponse()
            content_type = answer.getheader("Content-Type", "")
            return Answer(answer.status, json.loads(answer.read()), content_type)
        except (OSError, http.client.HTTPException, instance.PortError) as error:
            self.close()
            return Answer(0, {"error": repr(error)})

    def close(self) -> None:
        """Close the connection; the next request makes another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
