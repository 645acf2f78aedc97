"""`pinion rules register FILE...`: files become a set of a running instance, which judges nothing yet."""

import argparse
from pathlib import Path

from pinion.cli.rules.asking import add_asking, told
from pinion.cli.text_files import texts_by_name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files of rules, one set")
    add_asking(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the door."""
    return told(args, {"act": "register", "files": texts_by_name(args.files)})
