"""Segment names of one test, other processes for it, and the proof that it left none behind."""

import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

Start = Callable[..., BaseProcess]

_numbers = itertools.count()


@pytest.fixture
def segment_name() -> Iterator[str]:
    """Return a name no other test uses; fail when anything of that name is left in /dev/shm."""
    name = f"ringbuf-test-{os.getpid()}-{next(_numbers)}"
    yield name
    left = [entry for entry in os.listdir("/dev/shm") if entry.startswith(name)]
    for entry in left:
        os.unlink(f"/dev/shm/{entry}")
    assert left == []


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that runs target(*args) in a process of its own, which is killed at the end."""
    context = multiprocessing.get_context("fork")
    started: list[BaseProcess] = []

    def begin(target: Callable[..., None], *args: Any) -> BaseProcess:
        process = context.Process(target=target, args=args)
        process.start()
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.join()
