"""Answers out of PostgreSQL: orders, fills and trades of the past, in pages."""
