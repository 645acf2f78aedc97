"""The decorator of rules that people write: it marks a function, and leaves it as it is."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def rule(
    name: str,
    *,
    code: str = "",
    action: int = 0,
    reason: str = "",
    params: Mapping[str, int] | None = None,
) -> Callable[[Function], Function]:
    """Mark a function as a rule; it stays as it is and can be called with any objects that have its fields.

    name : of the rule, in settings and replies
    code, action : of a rule of payments: DECLINE, REVIEW or STEP_UP, and the code that goes with it
    reason : of a rule of trading, which refuses the order that it matches
    params : numbers that can be set without changing the rule, and what they are otherwise
    """

    def marked(function: Function) -> Function:
        return function

    return marked
