"""A small app that uses roles."""
