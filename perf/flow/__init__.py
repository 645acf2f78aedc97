"""Seeded order flow: the same (mix, seed, count) gives the same COMMAND records, byte for byte."""
