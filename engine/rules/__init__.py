"""Rules that people write in Python: checked, compiled, and the same as plain Python."""
