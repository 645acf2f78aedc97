"""Settings: what configuration files say, and what their values are checked for."""
