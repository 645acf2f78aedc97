"""Where an instance of payments lies unless somebody says another place."""

from pathlib import Path

DEFAULT_DATA = Path("var/payments")
