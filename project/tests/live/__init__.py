"""Tests against the service as it runs: its own processes, PostgreSQL, Redis, TLS."""
