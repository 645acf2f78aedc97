"""`pinion payments rules`: files of rules that people write."""
