"""`pinion rules`: rules of trading that people write in Python."""
