"""Users who sign in by an email address, with UUID keys."""
