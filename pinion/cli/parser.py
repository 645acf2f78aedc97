"""The command line's parser: it knows near words, and loads a subcommand once somebody asks for it."""

import argparse
import difflib
import importlib
from collections.abc import Mapping
from typing import Any

Subcommands = Mapping[str, tuple[str, str]]
"""Subcommand -> its module below pinion/cli, and what it does."""


class Parser(argparse.ArgumentParser):
    """As argparse's own; its subparsers are of this kind too."""

    module = ""
    """The module below pinion/cli that declares the options, while these are not declared."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Declare the options where that was left for later; refuse what is left over.

        That is refused under the name of the subcommand that it was given to.
        """
        if self.module:
            module_of(self.module).add_arguments(self)
            self.module = ""
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left

    def add_subcommands(self, subcommands: Subcommands, dest: str, metavar: str) -> None:
        """Add subcommands, each loaded when it is asked for; dest : where its word is found."""
        subparsers = self.add_subparsers(dest=dest, metavar=metavar)
        for name, (module, summary) in subcommands.items():
            text = summary[:1].upper() + summary[1:] + "."
            subparsers.add_parser(name, help=summary, description=text).module = module

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse what is none of the choices."""
        if action.choices is None or value in action.choices:
            return
        known = [str(each) for each in action.choices]
        near = difflib.get_close_matches(str(value), known, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise argparse.ArgumentError(action, f"invalid choice: {value!r}; {hint}there are {', '.join(known)}")


def module_of(name: str) -> Any:
    """Return a module below pinion/cli, loaded now at the latest."""
    return importlib.import_module(f"pinion.cli.{name}")
