"""Rules of trading that are of use to many: take a file as it is, or as the beginning of your own."""
