"""What of payments lies beyond one instance: a fleet that shares limits, a processor that is asked too."""
