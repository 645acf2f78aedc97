"""Sets of rules that tests use, as people would write them."""
