"""`pinion payments capture verify`: follow every line of a capture: form, numbers and chain."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from pinion.capture.verify import verify
from pinion.cli.command import DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of a capture")


def run(args: argparse.Namespace) -> int:
    """Verify; CaptureError names the first line that is not as it should be."""
    found = verify(args.folder, _tell)
    about = found.about
    print(f"captured from  {about.to}")
    print(f"pairs          {found.records:,}, all whole and chained; {found.unanswered:,} not answered")
    print(f"missing        {found.dropped:,}, which the disk did not take")
    if found.first_ms is not None and found.last_ms is not None:
        print(f"time           {_shown(found.first_ms)} to {_shown(found.last_ms)}")
    print(f"key            {about.fingerprint}")
    if about.records is None:
        print("end            none in order: it still runs, or was killed; what came last may be missing")
    return DONE


def _tell(count: int) -> None:
    print(f"{count:,} pairs", file=sys.stderr, flush=True)


def _shown(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
