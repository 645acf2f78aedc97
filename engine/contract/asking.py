"""Asking a running instance to compare the whole states of worker and shadow now.

    DATA/digest.asked   is there while somebody waits for an answer
    DATA/digest.json    the answer

Files, so that whoever may read the data folder may ask, and a shadow that is started again still answers.
"""

from pathlib import Path

import msgspec

from ringbuf.whole_files import write_atomically

ASKED_FILE = "digest.asked"
ANSWER_FILE = "digest.json"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that worker and shadow had the same state at `seq`, with its digest."""

    seq: int
    digest: str


def ask(data_dir: Path) -> None:
    """Ask for an answer: the next comparison writes one."""
    write_atomically(data_dir / ASKED_FILE, b"")


def asked(data_dir: Path) -> bool:
    """Tell whether somebody waits for an answer."""
    return (data_dir / ASKED_FILE).exists()


def tell(data_dir: Path, answer: Answer) -> None:
    """Write the answer for all who wait."""
    write_atomically(data_dir / ANSWER_FILE, msgspec.json.encode(answer))
    withdraw(data_dir)


def withdraw(data_dir: Path) -> None:
    """Withdraw the question: nobody waits any longer."""
    (data_dir / ASKED_FILE).unlink(missing_ok=True)


def answer_of(data_dir: Path) -> Answer:
    """Return the last answer."""
    return msgspec.json.decode((data_dir / ANSWER_FILE).read_bytes(), type=Answer)
