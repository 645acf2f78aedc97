"""What makes the commands of set-up lines, an operation to a file."""
