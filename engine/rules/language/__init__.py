"""The language of rules that people write: a subset of Python, read and checked, not run."""
