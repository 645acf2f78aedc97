"""How often each story is told."""

from collections.abc import Callable

from perf.traffic.items import Story
from perf.traffic.stories import allowed, cards, life, limits, malformed, mixed, money, repeats, velocity
from perf.traffic.world import World

Teller = Callable[[World, int], Story]
STORIES: dict[Teller, int] = {
    limits.merchant_amount: 4,
    limits.account_amount: 4,
    limits.merchant_daily: 4,
    limits.account_sum_24h: 4,
    limits.account_sum_of_buckets: 2,
    limits.account_count_24h: 4,
    limits.merchant_permits: 10,
    limits.geo: 4,
    limits.sca: 4,
    velocity.card_1m: 4,
    velocity.card_1h: 4,
    velocity.card_declines_1h: 4,
    velocity.bin_declines_1h: 4,
    velocity.device_cards_24h: 4,
    velocity.ip_cards_1h: 4,
    velocity.email_cards_24h: 4,
    velocity.scheme_retry: 3,
    cards.double_charge: 8,
    cards.small_then_large: 8,
    cards.card_expiry: 4,
    cards.signals: 8,
    cards.cards_on_lists: 8,
    cards.others_on_lists: 8,
    allowed.allowed: 4,
    cards.standing: 8,
    cards.month_ends: 2,
    repeats.repeats: 12,
    repeats.reversals: 10,
    life.parts: 12,
    life.exact_rest: 8,
    life.known_operations: 8,
    life.holds_end: 12,
    life.reviews: 12,
    life.unusual_states: 4,
    life.many_operations: 1,
    life.many_holds_end: 1,
    money.funds: 8,
    money.deposits: 8,
    money.largest_sums: 2,
    money.lines_again: 4,
    malformed.malformed: 24,
    malformed.repeated_fields: 4,
    malformed.malformed_operations: 6,
    mixed.mixed: 20,
}
"""The stories that reach everything, and how often each is told among the others."""
