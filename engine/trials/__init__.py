"""Trials: another set of rules decides beside the governing one, in shadow or for a part of what comes."""
