"""Services that are asked over HTTP what was captured: another one, or the old one itself once more."""
