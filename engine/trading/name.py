"""The name of the trading application, as its journals and the registry of tools have it."""

TRADING = "trading"
