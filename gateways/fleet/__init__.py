"""The fleet process: shares of daily limits, moved between instances through a store."""
