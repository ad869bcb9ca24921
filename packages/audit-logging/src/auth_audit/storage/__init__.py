"""Partitions of the table of entries, and the triggers that protect it."""
