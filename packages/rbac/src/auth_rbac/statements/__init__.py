"""The SQL statements of decisions, their parameters and their rows."""
