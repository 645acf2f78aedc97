"""Supervision: starting, watching, restarting and stopping the processes of an instance."""
