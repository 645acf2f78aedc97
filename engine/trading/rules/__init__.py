"""Rules of trading: what a rule that somebody writes may speak of, and a library of rules."""
