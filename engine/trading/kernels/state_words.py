"""The words of the state record itself, ahead of its arrays (state.py): clocks, counts, defaults, heads."""

WORDS = (
    ("seq", "<i8"),
    ("eng_ts", "<i8"),
    ("ring", "<i8"),
    ("out_count", "<i8"),
    ("out_hashed", "<i8"),  # so many of them are in event_hash
    ("out_first", "<i8"),  # where the events of the command being applied begin
    ("out_last", "<i8"),  # the first slot of the newest event
    ("opened_count", "<i8"),
    ("accounts_used", "<i8"),
    ("currencies_used", "<i8"),
    ("positions_used", "<i8"),
    ("books_used", "<i8"),
    ("levels_used", "<i8"),
    ("levels_free", "<i8"),  # idx + 1; free lists run through `next`-like fields
    ("nodes_used", "<i8"),
    ("nodes_free", "<i8"),
    ("orders_used", "<i8"),
    ("orders_free", "<i8"),
    ("orders_live", "<i8"),
    ("ids_used", "<i8"),
    ("ids_next", "<i8"),  # the entry that the next ended client id takes
    ("event_count", "<i8"),  # events made since the start
    ("slot_count", "<i8"),  # slots that they took
    ("trade_count", "<i8"),
    ("event_hash", "<i8"),  # rolling, over every event (exchange rule S27)
    ("default_max_open_orders", "<i8"),  # limit + 1, or none; so the next three
    ("default_max_position", "<i8"),
    ("default_order_rate", "<i8"),
    ("default_order_burst", "<i8"),
    ("kill_count", "<i8"),  # kills that hold: of accounts, of books, of the venue
    ("is_venue_killed", "<i8"),
    ("watch_count", "<i8"),  # accounts that are watched
    # kill_count, watch_count, books with max_open_orders, 1 for a set of rules: of 0 checks are plain
    ("guard_count", "<i8"),
    ("noted_count", "<i8"),  # watched accounts to be judged behind the command being applied
    ("rounds_due", "<i8"),  # rounds under way (equity.py)
    ("round_idx", "<i8"),  # where the sweep is
    ("round_left", "<i8"),  # stakes that this visit may still value; 0: it goes on behind round_idx
    ("events_before", "<i8"),  # event_count, but for latches, when the rare command being applied began
    ("moves_used", "<i8"),
    ("moves_next", "<i8"),  # the entry that the next movement's id takes
    ("groups_used", "<i8"),
    ("refused_by", "<i8"),  # the group whose limit or latch refuses the command being applied, 0: none
    ("refused_account", "<i8"),  # the account at fault in a GROUP that is refused, 0: none
    ("governing", "<i8"),  # the set of rules that judges orders, its place + 1; 0 = none
    ("governed_before", "<i8"),  # what a rollback brings back, likewise
    ("last_ruleset", "<i8"),  # the newest id of a set
    ("rules_term", "<i8"),  # seq since which sets have governed without a break
    ("rule_params_used", "<i8"),
    ("rule_params_free", "<i8"),  # idx + 1
)
