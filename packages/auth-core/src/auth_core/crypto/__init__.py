"""Encryption of columns, one-time secrets, and the test for keys that could be guessed."""
