"""Appends an entry to the trail."""
