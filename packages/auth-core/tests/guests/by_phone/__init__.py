"""Users who sign in by a telephone number, with text keys and without an email field."""
