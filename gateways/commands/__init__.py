"""What every door does that sends commands to an engine: batches, waiting, its life as a process."""
