"""Seeded traffic of payments: a set-up, and requests that reach every code, rule and state."""
