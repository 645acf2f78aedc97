"""What a first start shows of its compilation."""

import io
from types import SimpleNamespace

from engine.contract.replica import Replica
from engine.trading.application import trading
from pinion.cli.kernels import BEGINNING, LINE_S, WIPE, CompilationProgress, compile_ahead
from pinion.cli.trading.tools import TOOLS
from tests.capacities import SMALL


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time that moves when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def compile_in(progress: CompilationProgress, clock: Clock, seconds: float, nested: int = 0) -> None:
    """Go through what numba tells of one kernel and of those that it calls."""
    function = SimpleNamespace(__module__="engine.trading.kernels.match", __name__="walk")
    event = SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=function)})
    progress.on_start(event)
    for _ in range(nested):
        compile_in(progress, clock, 0.0)
    clock.now += seconds
    progress.on_end(event)


def test_a_terminal_shows_one_line_that_overwrites_itself() -> None:
    shown, clock = Terminal(), Clock()
    progress = CompilationProgress(shown, clock)

    for _ in range(40):
        compile_in(progress, clock, 2.0, nested=2)
    progress.finish()

    line, rest = shown.getvalue().split("\n")
    _, beginning, *parts, end = line.split(WIPE)
    assert beginning == BEGINNING
    assert len(parts) == 120
    assert parts[2] == "compiling the kernels, once:    3,   2 s  engine.trading.kernels.match.walk"
    assert (end, rest) == ("compiled 120 kernels in 80 s", "")


def test_a_file_gets_a_line_now_and_then() -> None:
    shown, clock = io.StringIO(), Clock()
    progress = CompilationProgress(shown, clock)

    for _ in range(40):
        compile_in(progress, clock, 1.0)
    progress.finish()

    assert shown.getvalue().splitlines() == [
        BEGINNING,
        f"compiling the kernels, once:   15,  {LINE_S:.0f} s",
        f"compiling the kernels, once:   30,  {2 * LINE_S:.0f} s",
        "compiled 40 kernels in 40 s",
    ]


def test_nothing_is_shown_where_all_is_cached() -> None:
    shown = io.StringIO()

    CompilationProgress(shown).finish()

    assert shown.getvalue() == ""


def test_nothing_is_compiled_ahead_where_the_cache_has_it() -> None:
    application = trading(SMALL)
    Replica(application)

    assert compile_ahead(application, TOOLS) is None
