"""Reads of a live state, refused while a restarted worker rebuilds it: its versions lie then.

What is not there yet may come (protocol rule 8), so that "not there" would be as wrong as a torn copy.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from ringbuf.seqlock import TornReadError


class Turning(Protocol):
    """A view of a state, which knows its epoch: odd while the state is being rebuilt."""

    @property
    def turn(self) -> Callable[[], int]: ...


Read = TypeVar("Read", bound=Callable[..., Any])


def whole(read: Read) -> Read:
    """Let a method of a view answer only where the state was not being rebuilt meanwhile; TornReadError."""

    @wraps(read)
    def checked(self: Turning, *args: Any, **kwargs: Any) -> Any:
        turn = self.turn()
        found = None if turn & 1 else read(self, *args, **kwargs)
        if turn & 1 or self.turn() != turn:
            raise TornReadError("the engine is rebuilding its state after a restart")
        return found

    return cast(Read, checked)
