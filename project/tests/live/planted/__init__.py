"""Defects that a test plants in a running service."""
