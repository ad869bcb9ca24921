"""Tokens: how they are made, read, and judged."""
