"""The compiled half of payments: everything that decides."""
