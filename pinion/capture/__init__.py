"""Pairs of request and reply of another service, captured through a proxy without card numbers."""
