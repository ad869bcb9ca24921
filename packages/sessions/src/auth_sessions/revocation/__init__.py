"""Finds the session of a credential, and makes every process refuse it once it has ended."""
