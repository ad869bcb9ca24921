"""Account creation, e-mail verification, and changing or resetting a password."""
