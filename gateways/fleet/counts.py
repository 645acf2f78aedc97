"""What the fleet process counts, by names that metrics and status show."""

FLEET_COUNTS = (
    *("rounds", "asked", "timeouts", "connections", "failures", "given", "taken"),
    *("published", "merged", "registered", "refused_sets", "behind", "outside"),
)
"""Rounds that came to their end, round trips to the store, those that took too long, connections made, what
else has failed, shares given to others and taken from them, sightings told to the store and taken from it,
sets of rules of other instances registered and refused; how many sets this instance lacks for too long, and
1 where the fleet has no place for it."""
