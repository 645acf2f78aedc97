"""The payments application: what it decides, its records, its state."""
