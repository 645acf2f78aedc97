"""Commands about sets of rules and their trials."""
