"""Commands that bring a team over from another service: capture, replay, minimise, the journey."""
