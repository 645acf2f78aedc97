"""Payments' projection: the tables of history and the rows that commands make."""
