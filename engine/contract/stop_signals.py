"""The signals that ask a process to stop in order: SIGINT, SIGTERM, SIGHUP."""

import signal


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return the signals to stop on; without SIGHUP where that is ignored already, as `nohup` has it."""
    always = (signal.SIGINT, signal.SIGTERM)
    return always if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (*always, signal.SIGHUP)


def interrupt_on_stop_signals() -> None:
    """Have each of them raise KeyboardInterrupt in this process, as Ctrl-C does."""
    for number in stop_signals():
        signal.signal(number, signal.default_int_handler)
