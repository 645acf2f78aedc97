"""The api of payments: lists out of history, status, metrics and what describes both doors."""
