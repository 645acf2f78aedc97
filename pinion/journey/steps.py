"""The steps of the journey, each printed as it is taken.

1 traffic   requests and set-up from a seed
2 capture   the old service is asked through the proxy
3 replay    the engine answers the same requests: nothing may differ
4 live      an instance is asked the same; another set judges in shadow
5 canary    it decides for 5, 25 and 100 per cent of the cards, then it governs
6 rollback  a faulty set is tried, and its gate ends that
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from perf.traffic.settings import DEFAULTS
from pinion.cli.payments.door_client import DoorClient
from pinion.journey.children import PROGRAM, StepError, done, running
from pinion.journey.player import Played, Player

SHADOW_FROM, CANARY_FROM, FAULTY_FROM = 0.4, 0.5, 0.85
"""Of all requests, when each begins."""
LOOK_EVERY = 50
"""Requests between two looks at a canary."""
MIN_SEEN_PART, MIN_SEEN_LEAST = 250, 5
FAULTY_PPM = 50_000
CONFIG = """[payments]
clock = "request"
[payments.rules]
{rules}
[payments.capacities]
{capacities}
[engine]
cpu = "none"
"""
CAPACITIES = {
    **{"accounts": 2**14, "balances": 2**16, "merchants": 2**12, "merchant_currencies": 2**14},
    **{"cards": 2**16, "pairs": 2**16, "devices": 2**15, "ips": 2**15, "emails": 2**15, "bins": 2**16},
    **{"payments": 2**17, "operations": 2**16, "answers": 2**18, "list_entries": 2**14},
}
"""Room for what the longest journey brings, so that nothing gives way that the old service keeps."""


class Journey:
    """The way; folder : a new one, service : the words of the command that starts the old service."""

    def __init__(self, folder: Path, count: int, seed: int, service: Sequence[str]) -> None:
        self._folder = folder
        self._count = count
        self._seed = seed
        self._service = service
        self._lines: list[bytes] = []
        self._old: list[Played] = []
        self._min_seen = max(MIN_SEEN_LEAST, count // MIN_SEEN_PART)

    def walk(self) -> None:
        """Take every step; StepError where one fails."""
        self._folder.mkdir(parents=True, mode=0o700)
        self._make_traffic()
        self._capture()
        self._replay()
        config, data = self._folder / "payments.toml", self._folder / "data"
        _told(4, "Pinion itself is asked the same, over HTTP; journal on the disk before each answer")
        up = words_of("up --lean --port 0 --config {} --setup {} --data {}", config, self._setup, data)
        with running("the instance", [*PROGRAM, *up], self._folder / "up.log") as ready:
            key = (data / "demo.key").read_text().strip()
            host, _, port = ready["payments"].removeprefix("http://").rpartition(":")
            with Player(ready["payments"], self._lines, key) as player:
                self._live(player, DoorClient(host, int(port), key))

    @property
    def _setup(self) -> Path:
        return self._folder / "setup.jsonl"

    def _make_traffic(self) -> None:
        _told(1, f"{self._count:,} requests from seed {self._seed}, and the set-up that they need")
        out = self._folder / "traffic.jsonl"
        asked = f"traffic --seed {self._seed} --count {self._count} --out {{}} --setup {{}}"
        done(*words_of(asked, out, self._setup))
        self._lines = out.read_bytes().splitlines()
        (self._folder / "rules.json").write_text(json.dumps(DEFAULTS))
        config = CONFIG.format(rules=_lines_of(DEFAULTS), capacities=_lines_of(CAPACITIES))
        (self._folder / "payments.toml").write_text(config)

    def _capture(self) -> None:
        _told(2, "the old service is asked through `pinion payments capture`")
        given = {"{port}": "0", "{setup}": str(self._setup), "{rules}": str(self._folder / "rules.json")}
        service = [given.get(each, each) for each in self._service]
        with running("the old service", service, self._folder / "old.log") as old:
            proxy = words_of(
                "capture --listen 127.0.0.1:0 --to {} --out {}", old["payments"], self._folder / "capture"
            )
            with running("the proxy", [*PROGRAM, *proxy], self._folder / "capture.log") as ready:
                began = monotonic()
                with Player(ready["capture"], self._lines) as player:
                    for _ in player.play(self._count):
                        pass
                self._old = player.answers
                rate = self._count / (monotonic() - began)
        _say(done("capture", "verify", self._folder / "capture").strip())
        codes = Counter(each.code for each in self._old)
        _say(f"{rate:,.0f} a second, {len(codes)} codes: " + _most(codes))

    def _replay(self) -> None:
        _told(3, "the engine answers the capture in this process: what differs ends the journey")
        report, config, began = self._folder / "report", self._folder / "payments.toml", monotonic()
        asked = "replay {} --in-process --no-stamp --setup {} --config {} --report {}"
        done(*words_of(asked, self._folder / "capture", self._setup, config, report))
        summary = json.loads((report / "summary.json").read_text())
        took_s = monotonic() - began
        _say(f"{summary['equal']:,} of {summary['pairs']:,} equal in {took_s:.0f} s, none different")
        for why, count in summary["left_out"].items():
            _say(f"{count:,} not played: {why}")
        _say(f"so at most {summary['upper_bound_95']:.4%} of such requests differ (95 per cent confidence)")
        _say(f"see {report / 'index.html'}")

    def _live(self, player: Player, door: DoorClient) -> None:
        """Ask the instance everything, and try sets of rules meanwhile."""
        self._until(player, SHADOW_FROM)
        self._compare(player, 0)
        made = door.ask("POST", "/v1/payments/rulesets", _set("a point earlier", score_review=699))
        candidate = made["ruleset"]
        begin = len(player.answers)
        door.ask("POST", f"/v1/payments/rulesets/{candidate}/shadow", {"why": "first without effect"})
        self._until(player, CANARY_FROM)
        self._compare(player, begin)
        trial = door.ask("GET", "/v1/payments/canary")
        _say(f"set {candidate} in shadow: {trial['seen']:,} judged, {trial['disagreements']:,} otherwise")
        self._canary(player, door, candidate)
        self._faulty(player, door)

    def _canary(self, player: Player, door: DoorClient, candidate: int) -> None:
        _told(5, f"set {candidate} decides for 5, 25 and 100 per cent, {self._min_seen} of each side a step")
        begin, percent = len(player.answers), 0
        start = {"ruleset": candidate, "steps": [5, 25, 100], "hold": ["0", "0", "0"]}
        gates = {"max_disagree_ppm": FAULTY_PPM, "min_seen": self._min_seen}
        door.ask("POST", "/v1/payments/canary/start", {**start, "gates": gates, "why": "step by step"})
        while True:
            trial = door.ask("GET", "/v1/payments/canary")
            if trial["percent"] != percent or trial["state"] != "running":
                percent = trial["percent"]
                step = f"{percent:>3} %" if trial["state"] == "running" else trial["state"]
                _say(f"request {len(player.answers):,}: {step}, {trial['disagreements']:,} disagreements")
            if trial["state"] != "running":
                break
            if len(player.answers) >= FAULTY_FROM * self._count:
                raise StepError(f"set {candidate} did not get to its end; give a larger --count")
            _play(player, LOOK_EVERY)
        if trial["state"] != "promoted":
            raise StepError(f"set {candidate} was {trial['state']} by {trial['gate']}")
        self._until(player, FAULTY_FROM)
        self._compare(player, begin)

    def _faulty(self, player: Player, door: DoorClient) -> None:
        _told(6, "a faulty set is tried for 25 per cent of the cards: every score is too high for it")
        made = door.ask("POST", "/v1/payments/rulesets", _set("a slip of the pen", score_decline=9))
        faulty, begin = made["ruleset"], len(player.answers)
        start = {"ruleset": faulty, "steps": [25, 100], "hold": ["24h", "0"], "why": "by mistake"}
        gates = {"max_disagree_ppm": FAULTY_PPM, "min_seen": self._min_seen}
        door.ask("POST", "/v1/payments/canary/start", {**start, "gates": gates})
        self._until(player, 1.0)
        trial = door.ask("GET", "/v1/payments/canary")
        if trial["state"] != "rolled_back":
            raise StepError(f"set {faulty} is {trial['state']}: its gate did not end it")
        hit = [place for place, each in enumerate(player.answers[begin:]) if each.ruleset == faulty]
        last = begin + hit[-1] + 1 if hit else begin
        _say(f"rolled back by {trial['gate']}: {trial['disagreements']:,} of {trial['seen']:,} otherwise")
        _say(f"it had decided {len(hit):,}, the last of them request {last:,}")
        governing = door.ask("GET", "/v1/payments/rulesets")["governing"]
        _say(f"set {governing} governs")

    def _until(self, player: Player, part: float) -> None:
        """Play up to a part of all requests."""
        _play(player, int(part * self._count) - len(player.answers))

    def _compare(self, player: Player, begin: int) -> None:
        """Tell how many answers since a place are those of the old service."""
        pairs = list(zip(self._old, player.answers, strict=False))[begin:]
        same = sum(old[:2] == new[:2] for old, new in pairs)
        where = f"requests {begin + 1:,} to {begin + len(pairs):,}"
        _say(f"{where}: {same:,} of {len(pairs):,} answered as the old service did")


def _play(player: Player, count: int) -> None:
    for _ in player.play(count):
        pass


def _set(why: str, **parameters: int) -> dict[str, Any]:
    return {"parameters": parameters, "why": why}


def words_of(command: str, *values: object) -> list[str]:
    """Return the words of a command; `{}` stands for a word that may have spaces."""
    given = iter(values)
    return [str(next(given)) if word == "{}" else word for word in command.split()]


def _lines_of(settings: Mapping[str, int | None] | Mapping[str, int]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in settings.items())


def _told(number: int, text: str) -> None:
    print(f"\n{number}. {text}", flush=True)


def _say(text: str) -> None:
    print(f"   {text}", flush=True)


def _most(codes: Counter[str]) -> str:
    return ", ".join(f"{code} {count:,}" for code, count in codes.most_common(5))
