"""Queries and streams (L4): reads live state and the event ring, never writes either."""
