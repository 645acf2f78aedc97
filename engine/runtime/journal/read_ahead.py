"""Read-ahead: a thread fetches the next items while the present one is worked on."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

AHEAD = 2
_END: Any = object()


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items, AHEAD of them fetched by a thread; its exceptions are raised where the item is due.

    The thread has its time where the consumer's work, or its own, releases the interpreter lock.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        due = deque(thread.submit(next, items, _END) for _ in range(AHEAD))
        while (item := due.popleft().result()) is not _END:
            due.append(thread.submit(next, items, _END))
            yield item
