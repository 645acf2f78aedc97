"""The live page in a browser, from a refused key to an instance that went away and came back.

    python -m tests.system.payments.page_in_browser --shots FOLDER

needs the package playwright, which no requirement names, and Debian's chromium (--browser PATH). A whole
instance runs behind the page; everything is looked at wide and narrow, light and dark. What is not as it
should be ends it with a traceback.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import expect, sync_playwright

from engine.trials.kernels import OUTCOME_TENTHS
from engine.trials.rates import TENTHS, differs
from tests.system.payments.running import Caller, RunningPayments, write_settings
from tests.system.payments.test_page import KEYS, SET_UP, SETTINGS, Page

LOOKS = [(width, scheme) for width in (1280, 400) for scheme in ("light", "dark")]
NOT_LOADED = "Failed to load resource"
"""What the browser logs of an answer that is a refusal, and of one that does not come."""
MANY, FEW, COMPARED = 120, 20, 2000


class Looker:
    """One page of a browser, and what went wrong in it."""

    def __init__(self, browser: Any, url: str, shots: Path | None) -> None:
        self.page = browser.new_page()
        self.faults: list[str] = []
        self._shots = shots
        own = urlsplit(url).netloc
        self.page.on("pageerror", lambda fault: self.faults.append(f"an error: {fault}"))
        self.page.on("console", self._heard)
        self.page.on("request", lambda asked: self._asked(asked.url, own))
        self.page.goto(f"{url}/payments")

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning") and NOT_LOADED not in message.text:
            self.faults.append(f"the console: {message.text}")

    def _asked(self, url: str, own: str) -> None:
        if urlsplit(url).netloc not in (own, ""):
            self.faults.append(f"a request to {url}")

    def __getitem__(self, selector: str) -> Any:
        return self.page.locator(selector)

    def shows(self, selector: str, text: str) -> None:
        """Wait until an element shows a text."""
        expect(self[selector]).to_contain_text(text)

    def connect(self, key: str) -> None:
        """Give the page a key."""
        self["#key"].fill(key)
        self["#login button"].click()

    def act(self, name: str, why: str) -> None:
        """Press a button of the trial, and confirm it."""
        self[f"[data-act={name}]"].click()
        self["#why"].fill(why)
        self["#do"].click()
        expect(self["#confirm"]).to_be_hidden()

    def look(self, name: str) -> None:
        """Look at the page as it is, in every width and colour; nothing may stand beyond its edge."""
        for width, scheme in LOOKS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=scheme)
            beyond = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert beyond <= 0, f"{name} at {width}: {beyond} pixels beyond the edge"
            if self._shots is not None:
                self.page.screenshot(path=self._shots / f"{name}-{width}-{scheme}.png", full_page=True)
        assert not self.faults, self.faults
        print(f"{name}: {len(LOOKS)} looks, no error")


class Story:
    """What happens to the instance while somebody looks."""

    def __init__(self, page: Page, looker: Looker) -> None:
        self.page = page
        self.looker = looker
        self.number = 0

    def pay(self, count: int) -> None:
        """Pay so often, each time by another card."""
        for number in range(self.number, self.number + count):
            self.page.pay(number)
        self.number += count

    def canary(self, steps: list[int], min_seen: int, **gates: Any) -> None:
        """Register the set that reviews more, and start it."""
        made = self.page.at_door(
            "POST", "/rulesets", {"parameters": {"score_review": 10}, "why": "more reviews"}
        )
        body = {"ruleset": made["ruleset"], "steps": steps, "hold": ["1h", *["0"] * (len(steps) - 1)]}
        self.page.at_door("POST", "/canary/start", body | {"gates": {"min_seen": min_seen} | gates})

    def keys(self) -> None:
        """An unknown key and one that may not read are refused; one that reads may not act."""
        look = self.looker
        look.look("no-key")
        look.connect("no-such-key-at-all")
        look.shows("#refused", "refused")
        look.connect(KEYS["acquirer"])
        look.shows("#refused", "needs the role risk or viewer")
        look.connect(KEYS["viewer"])
        look.shows("#trial-state", "none")
        look.look("no-trial")

    def by_hand(self) -> None:
        """A canary is paused, resumed, advanced and rolled back by its buttons."""
        look, page = self.looker, self.page
        self.canary([50, 75, 100], 36_000)
        self.pay(MANY)
        look.shows("#trial-facts", f"{MANY}")
        look.shows("#may-not", "only reads")
        expect(look["[data-act=rollback]"]).to_be_disabled()
        look["#leave"].click()
        look.connect(KEYS["risk"])
        look.shows("#trial-state", "running")
        look.look("canary")
        look["[data-act=rollback]"].click()
        look["#do"].click()
        expect(look["#confirm"], "no act without a reason").to_be_visible()
        look.look("confirm")
        look["#cancel"].click()
        for name, state in (("pause", "paused"), ("resume", "running"), ("advance", "running")):
            look.act(name, f"{name} it")
            look.shows("#trial-state", state)
            told = page.at_door("GET", "/canary")
            assert (told["state"], told["who"], told["why"]) == (state, "risk", f"{name} it")
        look.shows("#trial-facts", "75 % of the cards, step 2 of 3")
        look["[data-act=rollback]"].click()
        page.at_door("POST", "/canary/rollback", {"ruleset": told["ruleset"], "why": "sooner"})
        look["#why"].fill("too late")
        look["#do"].click()
        look.shows("#not-done", "the rules do not stand so that this can be done")
        look["#cancel"].click()
        look.shows("#ending", "Rolled back by risk: sooner")
        look.look("rolled-back-by-hand")

    def by_a_gate(self) -> None:
        """A canary whose rates differ is rolled back, and the page says by what."""
        self.canary([50, 100], FEW)
        self.pay(MANY)
        self.looker.shows("#ending", "Rolled back by its gate: outcome rate of")
        self.looker.shows("#gates", "breached")
        self.looker.look("rolled-back-by-gate")

    def evidence(self) -> None:
        """The page's z is beyond a bound where the kernel's test says that rates differ."""
        drawn = random.Random(7)
        for _ in range(COMPARED):
            counts = [drawn.randrange(0, 10 ** drawn.randrange(1, 6)) for _ in range(4)]
            x1, n1, x2, n2 = counts[0], counts[0] + counts[1], counts[2], counts[2] + counts[3]
            z = self.looker.page.evaluate("([a, b, c, d]) => errors(a, b, c, d)", [x1, n1, x2, n2])
            beyond = abs(z or 0.0) * TENTHS
            if abs(beyond - OUTCOME_TENTHS) > 1:  # the kernel rounds roots
                assert differs(x1, n1, x2, n2, OUTCOME_TENTHS) == (beyond > OUTCOME_TENTHS), (counts, z)
        print(f"evidence: {COMPARED} comparisons as the kernel makes them")

    def promoted(self) -> None:
        """Behind its last step the candidate governs."""
        self.canary([50, 100], FEW, compare_rates=False)
        self.looker.shows("#trial-facts", "step 1 of 2")
        self.looker.act("advance", "go on")
        self.looker.act("advance", "and govern")
        self.looker.shows("#ending", "Set 2 has come through its steps and governs")
        self.looker.shows("#sets tr:first-child", "governing")
        self.looker.look("promoted")

    def shadow(self) -> None:
        """A shadow has no arms and no steps."""
        look = self.looker
        self.page.at_door("POST", "/rulesets/2/shadow", {"why": "look first"})
        look.shows("#trial-state", "shadow")
        expect(look["#arms-part"]).to_be_hidden()
        look.look("shadow")
        look.act("rollback", "seen enough")
        look.shows("#trial-state", "rolled back")


@contextmanager
def instance_on(folder: Path) -> Iterator[tuple[Callable[[], Page], Callable[[], int]]]:
    """Yield what starts the instance on a folder, its api at one address each time, and what stops it."""
    ports: list[str] = []
    started: list[RunningPayments] = []

    def start() -> Page:
        running = RunningPayments(folder / "data", *write_settings(folder, SET_UP, SETTINGS), *ports)
        started.append(running)
        api = running.await_ready()["api"].removeprefix("http://")
        ports[:] = ["--api-port", api.rpartition(":")[2]]
        return Page(api, *(Caller(running.data_dir, KEYS[name], 60.0) for name in ("risk", "acquirer")))

    try:
        yield start, lambda: started[-1].stop()
    finally:
        for each in started:
            each.clean_up()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--browser", default="/usr/bin/chromium", metavar="PATH", help="default %(default)s")
    parser.add_argument("--shots", type=Path, metavar="FOLDER", help="keep a picture of each look here")
    args = parser.parse_args()
    if args.shots is not None:
        args.shots.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        instance_on(Path(name)) as (start, stop),
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=args.browser, args=["--no-sandbox"])
        page = start()
        look = Looker(browser, f"http://{page.api}", args.shots)
        story = Story(page, look)
        story.keys()
        story.by_hand()
        story.by_a_gate()
        story.evidence()
        story.shadow()
        story.promoted()
        stop()
        look.shows("#state", "no answer, trying again; what is shown is of")
        look.look("down")
        start()
        look.shows("#state", "live")
        look.look("back-again")
        browser.close()


if __name__ == "__main__":
    main()
