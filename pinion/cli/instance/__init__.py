"""A running instance, from its start on: `pinion up`, `status`, `digest`, `feed`, and the demo."""
