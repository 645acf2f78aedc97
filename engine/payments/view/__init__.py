"""Read-only views of the payments state, for doors and notebooks."""
