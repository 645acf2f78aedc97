"""The settings of the rules that a traffic is made for, by its seed."""

from random import Random
from typing import Any

DEFAULTS: dict[str, int | None] = {
    "card_1m": 3,
    "card_1h": 10,
    "card_declines_1h": 5,
    "bin_declines_1h": 6,
    "device_cards_24h": 3,
    "ip_cards_1h": 5,
    "email_cards_24h": 2,
    "scheme_retry": 20,
    "double_charge_ms": 120_000,
    "score_decline": 900,
    "score_review": 700,
    "small_then_large_ms": 600_000,
}
"""Those of an instance whose settings say nothing, with the two that are off there switched on."""
ORDERED = (
    *("card_expiry", "hot_list", "block_list", "merchant_permits", "merchant_amount", "account_amount"),
    *("merchant_daily", "account_sum_24h", "account_count_24h", "card_1m", "card_1h", "card_declines_1h"),
    *("bin_declines_1h", "device_cards_24h", "ip_cards_1h", "email_cards_24h", "scheme_retry"),
    *("double_charge", "cvv", "score_decline", "score_review", "geo", "small_then_large", "sca"),
)
"""The rules whose order can be set, in the order that they have."""
PROFILES = 4
"""The first of so many seeds has DEFAULTS; the second other limits; the third another order of fewer rules
too; the fourth has limits switched off."""


def settings_of(seed: int) -> dict[str, Any]:
    """Return the settings of a seed, as `[payments.rules]` has them; what is left out of it is off."""
    rng = Random(seed)
    profile = seed % PROFILES
    settings: dict[str, Any] = dict(DEFAULTS)
    if profile in (1, 2):
        for name, least, most in (
            *(("card_1m", 1, 6), ("card_1h", 3, 12), ("card_declines_1h", 2, 6), ("bin_declines_1h", 3, 9)),
            *(("device_cards_24h", 1, 31), ("ip_cards_1h", 1, 31), ("email_cards_24h", 1, 4)),
            *(("scheme_retry", 2, 12), ("double_charge_ms", 1_000, 900_000), ("score_decline", 500, 1000)),
            *(("score_review", 300, 999), ("small_then_large_ms", 1_000, 900_000)),
        ):
            settings[name] = rng.randint(least, most)
    if profile == 2:
        order = [name for name in ORDERED if rng.random() < 0.9]
        rng.shuffle(order)
        settings["order"] = order
    if profile == 3:
        for name in rng.sample(sorted(settings), 4):
            settings[name] = None
    return settings
