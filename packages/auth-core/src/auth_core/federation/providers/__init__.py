"""Providers: where they are, and what their answers say about a person."""
