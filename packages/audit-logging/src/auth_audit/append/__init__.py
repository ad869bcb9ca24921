"""Appends entries to the trail."""
