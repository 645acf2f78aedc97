"""Mutants that no traffic can find, by their names, and why."""

FAULT = "it is looked at only where the service has been given that fault"
SWEEP = "it is when what has left every window, or is a day old, is forgotten, which no answer shows"
START = "it stands there only until the first command"
NO_SUCH_DAY = "no traffic is of the first days of 1970"
WINNER = "nothing is approved where a rule has won, so that no sum is asked for room"
FIRST_MONTHS = "it is -1 for the first two months of 2000 alone, and their cards have expired either way"
ONE_CENTURY = "all years are of one century, the months before March 2000 apart, and their cards have expired"
NO_SUCH_TYPE = "no type of card has the number 0"
TOO_MANY = "no window of a traffic counts 2^31 payments"
SAME = "both ways give the same"
TOO_MUCH = "approvals of 10^12 at most add up to 2^62 after millions of them within a day"
HASH = "a hash of another length tells the same bodies apart"
_L = "tests.payments.legacy"
_R = "engine.payments.rules"
_K = "engine.payments.kernels"
_YEARS = "years * 365 + years // 4 - years // 100"

EQUIVALENT: dict[str, str] = {
    f"{_L}.rules:card_expiry: 0 -> 1": FAULT,
    f"{_L}.rules:card_expiry: 0 -> -1": FAULT,
    f"{_L}.rules:_amount_of: most - ('max_exclusive' in faults) -> most + ('max_exclusive' in faults)": FAULT,
    f"{_L}.rules:_amount_of: least + ('min_exclusive' in faults) -> "
    "least - ('min_exclusive' in faults)": FAULT,
    f"{_L}.rules:geo: above - ('geo_inclusive' in books.faults) -> "
    "above + ('geo_inclusive' in books.faults)": FAULT,
    f"{_L}.rules:sca: above - ('sca_inclusive' in books.faults) -> "
    "above + ('sca_inclusive' in books.faults)": FAULT,
    f"{_L}.books:__init__: BUCKETS + 1 -> BUCKETS - 1": FAULT,
    f"{_L}.books:__init__: 1 -> 2": FAULT,
    f"{_L}.books:__init__: 1 -> 0": FAULT,
    f"{_L}.books:__init__: 25 -> 26": FAULT,
    f"{_L}.books:__init__: 25 -> 24": FAULT,
    f"{_L}.windows:__init__: 0 -> -1": SWEEP,
    f"{_L}.windows:__init__: 0 -> 1": SWEEP,
    f"{_L}.windows:__init__: 0 -> -1 (2)": SWEEP,
    f"{_L}.windows:__init__: 0 -> 1 (2)": SWEEP,
    f"{_L}.windows:enter: number >= self._sweep_at -> number > self._sweep_at": SWEEP,
    f"{_L}.windows:enter: number >= self._sweep_at -> number > self._sweep_at (2)": SWEEP,
    f"{_L}.windows:_sweep: number + self._bucket_count -> number - self._bucket_count": SWEEP,
    f"{_L}.windows:_sweep: number + self._bucket_count -> number - self._bucket_count (2)": SWEEP,
    f"{_L}.windows:_sweep: next(reversed(buckets)) > last_outside -> "
    "next(reversed(buckets)) >= last_outside": SWEEP,
    f"{_L}.windows:_sweep: next(reversed(seen.values())) > last_outside -> "
    "next(reversed(seen.values())) >= last_outside": SWEEP,
    f"{_L}.windows:count: 1 -> 2": "every caller says what `present` is",
    f"{_L}.windows:count: 1 -> 0": "every caller says what `present` is",
    f"{_L}.memory:__init__: 0 -> 1": SWEEP,
    f"{_L}.memory:__init__: 0 -> -1": SWEEP,
    f"{_L}.memory:keep: answer.at_ms >= self._sweep_at_ms -> answer.at_ms > self._sweep_at_ms": SWEEP,
    f"{_L}.memory:keep: answer.at_ms + self._age_ms // 4 -> answer.at_ms - self._age_ms // 4": SWEEP,
    f"{_L}.memory:keep: each.at_ms > oldest_ms -> each.at_ms >= oldest_ms": SWEEP,
    f"{_L}.memory:keep: 4 -> 5": SWEEP,
    f"{_L}.memory:keep: 4 -> 3": SWEEP,
    f"{_L}.memory:digest_of: 16 -> 17": HASH,
    f"{_L}.memory:digest_of: 16 -> 15": HASH,
    f"{_L}.lifecycle:is_of: int(number) <= form.ACCOUNT_MAX -> int(number) < form.ACCOUNT_MAX": (
        "no payment has that number, and the door looks for none of so many digits"
    ),
    f"{_L}.books:__init__: 0 -> 1": START,
    f"{_L}.books:__init__: 0 -> -1": START,
    f"{_L}.books:__init__: 0 -> 1 (2)": START,
    f"{_L}.books:__init__: 0 -> -1 (2)": START,
    f"{_L}.books:daily: 0 -> 1 (2)": NO_SUCH_DAY,
    f"{_L}.books:daily: 0 -> -1 (2)": NO_SUCH_DAY,
    f"{_L}.books:daily: 1 -> 2": NO_SUCH_DAY,
    f"{_L}.books:daily: 1 -> 0": NO_SUCH_DAY,
    f"{_L}.books:has_room: total + amount <= SUM_MAX -> total + amount < SUM_MAX": TOO_MUCH,
    f"{_L}.books:has_room: total + amount -> total - amount": TOO_MUCH,
    f"{_L}.decide:decide: 0 -> 1": WINNER,
    f"{_L}.decide:decide: 0 -> -1": WINNER,
    f"{_L}.decide:_approved: available >= ask.amount -> available > ask.amount": SAME,
    f"{_L}.ask:__init__: False -> True": "the judge sets it before any rule looks",
    f"{_L}.ask:available: 0 -> -1": "an unknown account has too little for any amount either way",
    f"{_L}.set_up:_deposit: 0 -> -1": "the first of one value is also the last",
    f"{_R}.card:month_begins_at: {_YEARS} + years // 400 -> {_YEARS} - years // 400": FIRST_MONTHS,
    **{f"{_R}.card:month_begins_at: {each}": ONE_CENTURY for each in ("100 -> 101", "100 -> 99")},
    **{f"{_R}.card:month_begins_at: {each}": ONE_CENTURY for each in ("400 -> 401", "400 -> 399")},
    f"{_R}.merchant:merchant_permits: payload.card_type >= 0 -> payload.card_type > 0": NO_SUCH_TYPE,
    f"{_R}.merchant:merchant_permits: 0 -> 1": NO_SUCH_TYPE,
    f"{_K}.windows:COUNT_MAX: 2 ** 31 - 1 -> 2 ** 31 + 1": TOO_MANY,
    f"{_K}.windows:COUNT_MAX: 1 -> 0": TOO_MANY,
    **{
        f"{_K}.windows:_room_in: {each}": "of cards seen in one bucket any may go"
        for each in ("0 -> 1", "0 -> -1")
    },
    f"{_K}.windows:count_at: window.total < COUNT_MAX -> window.total <= COUNT_MAX": TOO_MANY,
    f"{_K}.windows:_move_on: bucket - window.last >= BUCKETS -> bucket - window.last > BUCKETS": SAME,
    **{
        f"{_K}.windows:(MINUTE_MS, HOUR_MS, DAY_MS): {each}": "a twelfth of it is the same whole number"
        for each in ("60000 -> 60001", "3600000 -> 3600001")
    },
    f"{_R}.card:month_begins_at: {_YEARS} -> {_YEARS.replace(' - ', ' + ')}": FIRST_MONTHS,
}
