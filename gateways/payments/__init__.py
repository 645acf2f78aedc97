"""The HTTP door of payments: requests become commands, events become replies."""
