"""Encryption of single values, one-time secrets, and the detection of weak keys."""
