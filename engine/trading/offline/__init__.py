"""The trading engine without an instance: files of commands through the kernels, timed."""
