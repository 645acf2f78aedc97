"""A store as a plain object: what the scripts do, written in Python from what they promise.

`tests/gateways/fleet/test_scripts.py` holds it against real stores, call for call.
"""

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any

from gateways.fleet.link import Call
from gateways.fleet.scripts.rates import RATE
from gateways.fleet.scripts.rulesets import NEWEST_MAX, SETS
from gateways.fleet.scripts.shares import EXCHANGE, GREET, MEMBER_MS, WANTS_MS, Welcome
from gateways.fleet.scripts.sightings import MERGE

SAVED = ("rows", "wishes", "members", "owners", "fingerprints", "seen", "born")
"""What of a store comes back from its disk."""


@dataclass
class TwinRow:
    """What each instance has said of one row."""

    given: dict[str, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    wants_until: dict[str, int] = field(default_factory=dict)


class TwinStore:
    """The store; `now` is its clock in ms, `run_id` another one after each restart."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.run_id = "run-1"
        self._saved: dict[str, Any] = {}
        self._forget()
        self.save()

    def _forget(self) -> None:
        self.rows: defaultdict[str, TwinRow] = defaultdict(TwinRow)
        self.wishes: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.members: defaultdict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
        self.owners: defaultdict[str, set[str]] = defaultdict(set)
        self.seen: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
        self.born: dict[str, bytes] = {}
        self.fingerprints: dict[str, str] = {}
        self.rates: dict[str, Fraction] = {}
        self.ruleset_order: dict[str, int] = {}
        self.ruleset_bodies: dict[str, bytes] = {}

    def empty(self) -> None:
        """Lose everything, and go on."""
        self._forget()
        self.now += 1

    def save(self) -> None:
        """Write what there is to a disk."""
        self._saved = deepcopy({name: getattr(self, name) for name in SAVED})

    def restart(self, *, with_saved: bool) -> None:
        """Begin another run; with_saved : with what was written last, which may be old."""
        self.run_id = f"run-{int(self.run_id.removeprefix('run-')) + 1}"
        self._forget()
        if with_saved:
            vars(self).update(deepcopy(self._saved))

    def answer(self, calls: Sequence[Call]) -> list[Any]:
        """Carry out calls, one after the other."""
        scripts = {
            EXCHANGE: self._exchange,
            GREET: self._greet,
            MERGE: self._merge,
            SETS: self._sets,
            RATE: self._rate,
        }
        return [scripts[script](keys, arguments) for script, keys, arguments in calls]

    def _merge(self, keys: Sequence[str], arguments: Sequence[str | int | bytes]) -> list[Any]:
        born, since, kept_ms, most = arguments[0], *map(int, arguments[1:4])
        seen, life = self.seen[keys[0]], self.born.setdefault(keys[1], str(1000 * self.now).encode())
        known = since if life == born else 0
        new = sorted((score, member) for member, score in seen.items() if score > known)[:most]
        until = new[-1][0] if new else known
        if len(new) == most:
            return [life, str(until).encode(), 0, *(member for _, member in new)]
        last = max(seen.values(), default=0)
        for member in arguments[4:]:
            if isinstance(member, bytes) and member not in seen:
                last = seen[member] = max(last + 1, 1000 * self.now)
        for member in [each for each, score in seen.items() if score <= 1000 * (self.now - kept_ms)]:
            del seen[member]
        return [life, str(max(last, until)).encode(), 1, *(member for _, member in new)]

    def _rate(self, keys: Sequence[str], arguments: Sequence[str | int | bytes]) -> list[Any]:
        interval, now = Fraction(1000, int(arguments[0])), Fraction(self.now)
        answer = []
        for name, wanted in zip(map(str, arguments[2::2]), map(int, arguments[3::2]), strict=True):
            up_to = max(self.rates.get(name, now), now)
            room = floor((now - up_to) / interval) + int(arguments[1])
            granted = max(0, min(wanted, room))
            self.rates[name] = up_to + granted * interval
            answer.append(granted)
        return answer

    def _sets(self, keys: Sequence[str], arguments: Sequence[str | int | bytes]) -> list[Any]:
        order, bodies = self.ruleset_order, self.ruleset_bodies
        since = int(arguments[0]) if max(order.values(), default=0) >= int(arguments[0]) else 0
        for name, body in zip(map(str, arguments[1::2]), arguments[2::2], strict=True):
            if name not in order and isinstance(body, bytes):
                order[name], bodies[name] = max(order.values(), default=0) + 1, body
        newest = sorted(order, key=lambda name: -order[name])
        for name in newest[NEWEST_MAX:]:
            bodies.pop(name, None)
        answer: list[Any] = [max(order.values(), default=0)]
        for name in newest[:NEWEST_MAX]:
            answer += [name.encode(), bodies.get(name, b"") if order[name] > since else b""]
        return answer

    def _greet(self, keys: Sequence[str], arguments: Sequence[str | int | bytes]) -> list[Any]:
        me, owner, fingerprint, journal = map(str, arguments[:4])
        members, since = self.members[keys[0]], self.now - MEMBER_MS
        known, at = members.get(me, (owner, 0))
        if known != owner and at > since:
            return [Welcome.NAME_TAKEN, 0, 0]
        owners = self.owners[keys[2]]
        if journal not in owners and len(owners) >= int(arguments[4]):
            return [Welcome.NO_SHARE_LEFT, 0, 0]
        owners.add(journal)
        members[me] = owner, self.now
        self.fingerprints[me] = fingerprint
        wanted = [(at, name) for name, at in self.wishes[keys[1]].items() if at > self.now - WANTS_MS]
        present = [name for name, (_, at) in members.items() if at > since]
        strangers = sum(self.fingerprints[name] != fingerprint for name in present)
        return [
            Welcome.IN,
            len(present),
            strangers,
            *(name.encode() for _, name in sorted(wanted, reverse=True)),
        ]

    def _exchange(self, keys: Sequence[str], arguments: Sequence[str | int | bytes]) -> list[Any]:
        me, name = str(arguments[0]), str(arguments[6])
        instances, given, taken, left, wants = map(int, arguments[1:6])
        row = self.rows[keys[0]]
        row.given[me] = max(given, row.given.get(me, 0))
        row.taken[me] = max(taken, row.taken.get(me, 0))
        row.left[me], row.wants_until[me] = left, self.now + WANTS_MS if wants else 0
        others = [each for each, until in row.wants_until.items() if until > self.now and each != me]
        pool = sum(row.given.values()) - sum(row.taken.values())
        is_agreed = row.taken[me] == taken and len(row.given) == instances
        if wants and is_agreed and pool > 0:
            grant = ceil(pool / (len(others) + 1))
            row.taken[me] += grant
            pool -= grant
        if wants:
            self.wishes[keys[1]][name] = self.now
        return [
            row.given[me],
            row.taken[me],
            pool,
            len(row.given),
            len(others),
            sum(row.left[each] for each in others),
        ]
