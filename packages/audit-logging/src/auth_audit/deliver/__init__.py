"""Exports entries, and delivers them to other systems."""
