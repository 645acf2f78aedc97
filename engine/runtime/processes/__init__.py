"""The processes that handle every command: worker, journaler, shadow and history."""
