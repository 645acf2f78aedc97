"""Small wrongs that the service does on demand, so that a comparison can prove that it finds them."""

FAULTS = {
    "min_exclusive": "An amount equal to the minimum is refused.",
    "max_exclusive": "An amount equal to the maximum is refused.",
    "month_end_local": "A card expires with the first ms of its month, not of the month after.",
    "bucket_off_by_one": "A window has thirteen buckets.",
    "declined_counts": "The sums of a day and of 24 h count declined amounts too.",
    "present_not_counted": "A count leaves the present payment out.",
    "idempotency_25h": "An answer is remembered for 25 h.",
    "luhn_skipped": "The check digit of a PAN is not checked.",
    "voids_give_back": "A void is taken off the sums.",
    "partial_rounds": "A partial approval is rounded down to whole units of the currency.",
    "geo_inclusive": "An amount equal to the merchant's geo_above is put to review.",
    "sca_inclusive": "An amount equal to the merchant's sca_above needs SCA.",
    "retry_counts_approvals": "The declines of a card at a merchant count what was not declined too.",
    "double_charge_ignores_void": "A payment that was voided whole still makes the next a double charge.",
}
"""Name of a fault -> what the service then does."""


def checked(names: frozenset[str]) -> frozenset[str]:
    """Return the names, all of which must be faults."""
    unknown = sorted(names - FAULTS.keys())
    if unknown:
        raise ValueError(f"no such fault: {', '.join(unknown)}")
    return names
