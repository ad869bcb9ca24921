"""Clients that describe themselves: their id is the address of a document (Client ID Metadata Documents)."""
