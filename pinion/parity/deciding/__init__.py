"""An engine in this process that decides what was captured, without journal, ring or socket."""
