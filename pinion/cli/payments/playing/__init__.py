"""What the commands share that play a capture: what it is played to, and what is said of it."""
