"""The name of the payments application, as its journals and the registry of tools have it."""

PAYMENTS = "payments"
