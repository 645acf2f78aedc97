"""Pinion's engine: the contract (L1), the applications (L2) and the runtime (L3)."""
