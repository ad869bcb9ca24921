"""The JSON API of sessions."""
