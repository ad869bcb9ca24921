"""Session lookup by credential, and revocation that every process sees."""
