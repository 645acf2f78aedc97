"""The GET routes under /v1, answered from live state and from the past."""
