"""Bodies of another shape: a Python file with two functions makes them Pinion's.

    def request(body: dict) -> dict      what was asked, as Pinion is asked it
    def reply(body: dict) -> dict        what was answered, as Pinion answers it

A field that `reply` leaves out is not compared. What is no JSON object, and set-up, is taken as it is.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from engine.contract.errors import UsageError
from pinion.parity.pairs import LeftOut, Pair, is_set_up

Fields = dict[str, Any]
Function = Callable[[Fields], Fields]
REQUEST, REPLY = "request", "reply"
_encode = msgspec.json.Encoder().encode


class Adapter:
    """The two functions of a file; raises UsageError where it has none, or they fail."""

    def __init__(self, path: Path) -> None:
        self._path = path
        names = _names_of(path)
        self._functions: dict[str, Function] = {}
        for name in (REQUEST, REPLY):
            if not callable(names.get(name)):
                raise UsageError(
                    f"--adapter {path}: has no function {name}; write `def {name}(body: dict) -> dict`"
                )
            self._functions[name] = names[name]

    def __call__(self, pair: Pair | LeftOut) -> Pair | LeftOut:
        """Return a pair in Pinion's shape."""
        if isinstance(pair, LeftOut) or is_set_up(pair.route):
            return pair
        request = self._adapted(REQUEST, pair.request, pair.n)
        reply = None if pair.reply is None else self._adapted(REPLY, pair.reply, pair.n)
        return pair._replace(request=request, reply=reply, is_adapted=True)

    def _adapted(self, name: str, body: bytes, number: int) -> bytes:
        try:
            fields = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # it is taken as it is
            return body
        if not isinstance(fields, dict):
            return body
        try:
            made = self._functions[name](fields)
            if not isinstance(made, dict):
                raise TypeError(f"returned {type(made).__name__}, give a dict")
            return _encode(made)
        except Exception as error:  # whatever the file's code raises is told with the record
            raise UsageError(
                f"--adapter {self._path}: {name} of record {number}: {type(error).__name__}: {error}"
            ) from error


def _names_of(path: Path) -> Fields:
    spec = importlib.util.spec_from_file_location("pinion_adapter", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"--adapter {path}: is no Python file; its name ends with .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the file's code raises is told
        raise UsageError(f"--adapter {path}: {type(error).__name__}: {error}") from error
    return vars(module)
