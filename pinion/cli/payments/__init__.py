"""What the command line knows of payments: its row of the registry, how they are started, used and loaded."""
