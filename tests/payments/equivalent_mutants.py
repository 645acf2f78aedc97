"""Mutants that no traffic can find, by their names, and why."""

FAULT = "it is looked at only where the service has been given that fault"
SWEEP = "it is when what has left every window, or is a day old, is forgotten, which no answer shows"
START = "it stands there only until the first command"
NO_SUCH_DAY = "no traffic is of the first days of 1970"
WINNER = "nothing is approved where a rule has won, so that no sum is asked for room"
FIRST_MONTHS = "it is -1 for the first two months of 2000 alone, and their cards have expired either way"
ONE_CENTURY = "all years are of one century, the months before March 2000 apart, and their cards have expired"
NO_SUCH_TYPE = "no type of card has the number 0"
TOO_MANY = "no window of a traffic counts 2^29 payments"
SAME = "both ways give the same"
TOO_MUCH = "approvals of 10^12 at most add up to 2^62 after millions of them within a day"
HASH = "a hash of another length tells the same bodies apart"
ONE_ROW = "the array has one row"
SHORTCUT = "who looks all the same finds nothing"
NO_SUCH_BIT = "no list, and no rule, has bit 0"
HALF_SET_UP = "a line is set up whole before anything is asked (tests/engine/payments/test_half_set_up.py)"
ELSEWHERE = "no answer shows it; tests/engine/payments/test_room.py finds it"
NO_PROCESSOR = "no traffic forwards; test_forwarding.py or test_owed_reversals.py of the engine finds it"
NO_FLEET = "without a fleet it changes nothing (tests/engine/payments/test_sightings.py has one)"
TOLD_BY_ANOTHER = "another number of the context says that there is none"
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
    **{f"{_K}.windows:COUNT_MAX: {each}": TOO_MANY for each in ("1 -> 2", "2 -> 3", "31 -> 32", "31 -> 30")},
    f"{_K}.windows:_room_in: row.seen[other].bucket < row.seen[at].bucket -> "
    "row.seen[other].bucket <= row.seen[at].bucket": "of cards seen in one bucket any may go",
    **{
        f"{_K}.evaluate:{each}": NO_SUCH_BIT
        for each in ("evaluate: 0 -> 1", "up_to: 0 -> 1", "up_to: 1 -> 0")
    },
    f"{_K}.evaluate:first_in_order: 1 -> 0": NO_SUCH_BIT,
    f"{_K}.evaluate:first_in_order: 0 -> -1": "that is the balance, which comes last and is asked apart",
    f"{_K}.evaluate:first_in_order: 0 -> -1 (2)": "the place of what is no rule is behind all",
    f"{_K}.evaluate:first_in_order: place[rule] < place[found] -> place[rule] <= place[found]": SAME,
    **{
        f"{_K}.gather:gather: {each}": "the judge says it anew before anybody looks"
        for each in ("0 -> 1", "0 -> -1")
    },
    **{f"{_K}.gather:gather: 0 -> -1 ({each})": ONE_ROW for each in (3, 4, 5)},
    f"{_K}.gather:_merchant: 0 -> 1": TOLD_BY_ANOTHER,
    f"{_K}.gather:_merchant: 0 -> -1 (4)": TOLD_BY_ANOTHER,
    f"{_K}.gather:_merchant: merchant != NIL -> merchant == NIL (2)": HALF_SET_UP,
    f"{_K}.gather:_account: account != NIL -> account == NIL": HALF_SET_UP,
    f"{_K}.gather:_account: 0 -> -1": "no account has that status either",
    f"{_K}.gather:_card: 0 -> -1 (4)": SHORTCUT,
    f"{_K}.gather:_card: 0 -> -1 (5)": SHORTCUT,
    f"{_K}.gather:_sightings: s.fleet[0].is_on != 0 -> s.fleet[0].is_on == 0": NO_FLEET,
    f"{_K}.gather:_sightings: 0 -> 1 (2)": NO_FLEET,
    f"{_K}.gather:_sightings: 0 -> -1 (2)": NO_FLEET,
    f"{_K}.gather:_sightings: 0 -> -1 (3)": ONE_ROW,
    f"{_K}.gather:_lists: 0 -> 1": NO_SUCH_BIT,
    **{f"{_K}.gather:_lists: 0 -> -1 ({each})": SHORTCUT for each in range(3, 10)},
    **{
        f"{_K}.gather:pair_hash: {each}": "it decides how long chains are, and nothing else"
        for each in (
            *("MERCHANT + 1 -> MERCHANT - 1", "MERCHANT + 2 -> MERCHANT - 2"),
            *("1 -> 2", "1 -> 0", "2 -> 3", "2 -> 1"),
        )
    },
    f"{_K}.gather:is_given: 1 -> 0": "no hash begins with 64 bits of 0",
    f"{_K}.decide:pay: 0 -> -1 (2)": ONE_ROW,
    **{f"{_K}.decide:_count_approved: 0 -> -1 ({each})": ONE_ROW for each in (3, 4)},
    f"{_K}.judge:judge: 0 -> -1": ONE_ROW,
    f"{_K}.judge:_judge_found: 0 -> -1 (4)": ONE_ROW,
    **{
        f"{_K}.judge:_judge_found: {each} (3)": "an amount counts only where the payment is approved"
        for each in ("0 -> 1", "0 -> -1")
    },
    **{f"{_K}.attempts:count_attempt: 0 -> -1 ({each})": ONE_ROW for each in (2, 3)},
    **{f"{_K}.attempts:count_decline: 0 -> -1 ({each})": ONE_ROW for each in (2, 3)},
    f"{_K}.attempts:count_attempt: s.fleet[0].is_on != 0 -> s.fleet[0].is_on == 0": NO_FLEET,
    **{f"{_K}.attempts:count_attempt: 0 -> {each}": NO_FLEET for each in (1, -1)},
    f"{_K}.attempts:count_attempt: s.decided += 1 -> s.decided -= 1": ELSEWHERE,
    **{f"{_K}.attempts:count_attempt: 1 -> {each}": ELSEWHERE for each in (0, 2)},
    f"{_K}.attempts:count_decline: 0 -> -1": ELSEWHERE,
    **{f"{_K}.holds:end_due: 0 -> {each}": ELSEWHERE for each in (1, -1)},
    **{
        f"{_K}.holds:end_due: {each}": ELSEWHERE
        for each in (
            *(
                "0 -> 1 (2)",
                "0 -> -1 (2)",
                "0 -> 1 (3)",
                "0 -> -1 (3)",
                "0 -> 1 (4)",
                "0 -> -1 (4)",
                "1 -> 2 (2)",
                "1 -> 0 (2)",
            ),
            *("at + 1 -> at - 1", "at + 1 -> at - 1 (2)", "at + 1 -> at - 1 (3)"),
            *("1 -> 2 (3)", "1 -> 2 (4)", "1 -> 0 (4)", "1 -> 2 (5)", "1 -> 0 (5)"),
            *("s.untold_last - 1 -> s.untold_last + 1", "s.untold_last != 0 -> s.untold_last == 0"),
        )
    },
    f"{_K}.holds:end_due: True -> False (2)": NO_PROCESSOR,
    f"{_K}.holds:_first_to_end: s.payments[at].payment < s.payments[first].payment -> "
    "s.payments[at].payment <= s.payments[first].payment": "no payment stands in two queues",
    f"{_K}.holds:end_due: 1 -> 2": "it is asked whether it is 0",
    f"{_K}.holds:end_due: 1 -> 0": "no answer shows it; tests/engine/payments/history finds it",
    f"{_K}.holds:release: 0 -> -1": SHORTCUT,
    f"{_K}.operate:_operate_on: s.payments[payment].state == k.STATE_PENDING -> "
    "s.payments[payment].state != k.STATE_PENDING": ELSEWHERE,
    f"{_K}.operate:_may_approve: found.row == NIL -> found.row != NIL": ELSEWHERE,
    f"{_K}.operate:_operate_on: s.payments[payment].state != k.STATE_PENDING -> "
    "s.payments[payment].state == k.STATE_PENDING": NO_PROCESSOR,
    **{
        f"{_K}.operate:_operate_on: {each}": ELSEWHERE
        for each in (
            "s.operations_free != 0 -> s.operations_free == 0",
            "s.operations_used < len(s.operations) -> s.operations_used <= len(s.operations)",
            *("0 -> 1", "0 -> -1"),
        )
    },
    f"{_K}.operate:_void: amount != held -> amount == held": NO_PROCESSOR,
    **{f"{_K}.operate:_void: 0 -> {each} (3)": ELSEWHERE for each in (1, -1)},
    **{f"{_K}.operate:_void: 0 -> {each} (6)": NO_PROCESSOR for each in (1, -1)},
    f"{_K}.operate:_void: True -> False": NO_PROCESSOR,
    **{
        f"{_K}.operate:_may_approve: {each}": ELSEWHERE
        for each in (
            "max(day_sum, account_sum) + row.amount > MONEY_MAX -> "
            "max(day_sum, account_sum) + row.amount >= MONEY_MAX",
            "s.rows[found.row].day == s.now // DAY_MS -> s.rows[found.row].day != s.now // DAY_MS",
            "max(day_sum, account_sum) + row.amount -> max(day_sum, account_sum) - row.amount",
        )
    },
    **{f"{_K}.operate:_may_approve: 0 -> {each}": "no amount comes near 2^62 by itself" for each in (1, -1)},
    f"{_K}.operate:_may_approve: 0 -> -1 (2)": ONE_ROW,
    f"{_K}.holds:_first_to_end: s.payments[at].due < s.payments[first].due -> "
    "s.payments[at].due <= s.payments[first].due": "of two that end at once the one of fewer days is younger",
    f"{_R}.card:month_begins_at: {_YEARS} -> {_YEARS.replace(' - ', ' + ')}": FIRST_MONTHS,
}
