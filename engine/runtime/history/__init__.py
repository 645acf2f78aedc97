"""History: rows of a database out of the journal, and the database itself."""
