"""Mutants that no traffic can find, by their names, and why."""

EQUIVALENT: dict[str, str] = {}
