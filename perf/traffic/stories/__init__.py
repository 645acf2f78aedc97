"""Stories: short sequences of requests, each about one rule or one part of a payment's life."""
