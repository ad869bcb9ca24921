"""Triggers and indexes, and permissions whose object was deleted."""
