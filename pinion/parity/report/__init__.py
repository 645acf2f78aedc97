"""The report of a replay: a page to read, the differences as lines, and the figures."""
