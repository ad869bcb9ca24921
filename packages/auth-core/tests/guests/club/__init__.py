"""Users who sign in by a telephone number, with an email field without an index and a required field."""
