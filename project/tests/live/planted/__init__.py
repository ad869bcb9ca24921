"""Defects that a test plants into a running service, to see them caught."""
