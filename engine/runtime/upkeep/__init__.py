"""Upkeep of a data folder at rest: segments packed away, journals brought to other capacities."""
