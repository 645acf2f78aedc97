"""WS /v1/stream: subscriptions, what has happened lately, and what waits to be sent."""
