"""Defects that are planted on purpose, each with the test that must catch it."""
