"""Sending approved payments on to a processor, and the reversals that are owed to it."""
