"""The traffic of a seed: its set-up, the settings it is made for, and its endless stream of items.

Stories begin one after another and run side by side. Whichever has the next moment gives the next item, so
time moves as in reality, a burst of one card lies between payments of others, and a story may wait for a
month. The items follow from the seed alone.
"""

import heapq
from collections.abc import Iterator
from random import Random

from perf.traffic.items import PAY, Body, Item, Story
from perf.traffic.population import lines_of
from perf.traffic.profile import STORIES, Teller
from perf.traffic.settings import settings_of
from perf.traffic.windows import HOUR_MS, MINUTE_MS, SECOND_MS, month_begin
from perf.traffic.world import World

BEGIN_YEAR, BEGIN_MONTHS = 2001, 120
"""A traffic begins in one of so many months; a million items take some fifteen years of their time."""
GAPS_MS = (
    (0.5, 2 * SECOND_MS),
    (0.8, MINUTE_MS),
    (0.95, 20 * MINUTE_MS),
    (1.0, 20 * HOUR_MS),
)
"""Up to this share of the beginnings of stories, the longest time from the one before."""
RUNNING_MAX = 40
"""So many stories run at once: where all of them wait, time passes instead."""


class Traffic:
    """One traffic.

    stories : the tellers of stories and how often each is told; left out: those that reach everything
    settings : parameters of the rules and their order, as `[payments.rules]` has them; left out: of the seed
    """

    def __init__(
        self,
        seed: int,
        *,
        stories: dict[Teller, int] | None = None,
        settings: Body | None = None,
    ) -> None:
        self.settings = settings_of(seed) if settings is None else settings
        self._world = World(seed, {name: each for name, each in self.settings.items() if name != "order"})
        self._rng = Random(seed + 1)
        weights = STORIES if stories is None else stories
        self._tellers = [teller for teller, weight in weights.items() for _ in range(weight)]
        self._next_begin_ms = month_begin(BEGIN_YEAR, 1 + self._rng.randrange(BEGIN_MONTHS))
        self.set_up = lines_of(self._world)

    def __iter__(self) -> Iterator[Item]:
        """Yield items without end."""
        running: list[tuple[int, int, Item, Story]] = []
        begun = count = 0
        world = self._world
        while True:
            while len(running) < RUNNING_MAX and (not running or running[0][0] >= self._next_begin_ms):
                story = self._begun()
                begun += 1
                _push(running, story, next(story, None), begun)
            at, order, item, story = heapq.heappop(running)
            self._next_begin_ms = max(self._next_begin_ms, at)
            yield item
            if item.kind == PAY:
                world.recent.append(count)
            try:
                step = story.send(count)
            except StopIteration:
                step = None
            _push(running, story, step, order)
            count += 1

    def _begun(self) -> Story:
        """Return the next story, and choose when the one behind it begins."""
        at, luck = self._next_begin_ms, self._rng.random()
        longest = next(most for share, most in GAPS_MS if luck < share)
        self._next_begin_ms = at + self._rng.randrange(longest)
        return self._rng.choice(self._tellers)(self._world, at)


def _push(
    running: list[tuple[int, int, Item, Story]], story: Story, step: tuple[int, Item] | None, order: int
) -> None:
    if step is not None:
        heapq.heappush(running, (step[0], order, step[1], story))
