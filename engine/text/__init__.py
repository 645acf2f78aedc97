"""Text as people and machines write it: JSON, decimal numbers and times, read exactly."""
