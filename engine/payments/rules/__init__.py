"""The rules of payments: pure functions of a request and of what the engine knows beside it."""
