"""A sample processor, for trying what forwarding does."""
