"""The command line's parser: a word that it does not know is answered with the nearest one that it knows."""

import argparse
import difflib
from typing import Any


class Parser(argparse.ArgumentParser):
    """As argparse's own; its subparsers are of this kind too."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is left over under the name of the subcommand that it was given to."""
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse what is none of the choices."""
        if action.choices is None or value in action.choices:
            return
        known = [str(each) for each in action.choices]
        near = difflib.get_close_matches(str(value), known, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise argparse.ArgumentError(action, f"invalid choice: {value!r}; {hint}there are {', '.join(known)}")
