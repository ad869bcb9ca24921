"""Explains a decision, and reports who has access to an object."""
