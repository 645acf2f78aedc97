"""What the command line knows of trading: its row of the registry, and how it is started."""
