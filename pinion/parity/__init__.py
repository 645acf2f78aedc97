"""What another service answered, held against what Pinion answers to the same: replay, report, minimise."""
