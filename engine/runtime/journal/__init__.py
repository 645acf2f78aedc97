"""The journal's files: frames of records, written durably, read and followed."""
