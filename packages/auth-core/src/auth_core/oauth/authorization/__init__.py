"""The authorization endpoint: what a client asks for, what a person must prove, and what they agree to."""
