"""Providers on this machine, for tests."""
