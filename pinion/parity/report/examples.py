"""The pairs of a page: the first few of each kind of difference, for nobody reads ten thousand."""

from collections import Counter, defaultdict

from pinion.parity.tally import Diff

OF_A_KIND, KINDS_MAX = 3, 100


class Examples:
    """Keeps the first of each kind: codes, rules and the fields that differ."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Diff]] = defaultdict(list)
        """Codes -> pairs."""
        self.counts: Counter[str] = Counter()
        self._kinds: Counter[tuple[str, str, tuple[str, ...]]] = Counter()

    def add(self, diff: Diff) -> None:
        """Keep a pair where it is one of the first of its kind."""
        kind = diff.codes, diff.rules, tuple(each.field for each in diff.fields)
        self.counts[diff.codes] += 1
        if kind in self._kinds or len(self._kinds) < KINDS_MAX:
            self._kinds[kind] += 1
            if self._kinds[kind] <= OF_A_KIND:
                self.kept[diff.codes].append(diff)
