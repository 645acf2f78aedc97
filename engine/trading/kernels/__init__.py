"""Trading's kernels (L2): pure functions of state and command, and the state they work on."""
