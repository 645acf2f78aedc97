"""What both doors of an instance do alike: connections, their limits, who may speak from where."""
