"""Codes sent by e-mail and by text message."""
