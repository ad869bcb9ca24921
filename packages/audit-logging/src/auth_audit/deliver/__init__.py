"""Sends checkpoints and entries outside the database, and exports them."""
