"""Applications that register themselves with an initial access token, and manage their registration (RFC 7591, RFC 7592)."""
