"""Tests against the running service: separate processes, PostgreSQL, Redis, TLS."""
