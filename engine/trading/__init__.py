"""The trading application (L2): pure kernels, state + command -> events."""
