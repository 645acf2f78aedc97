"""Replay: states out of snapshots and journals, across changes of capacity."""
