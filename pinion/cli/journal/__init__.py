"""`pinion journal`: what can be asked of a data folder, and done to it."""
