"""Logs, redaction, audited denials, and health checks."""
