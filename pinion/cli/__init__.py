"""The command line (L5): arguments, printing, exit codes."""
