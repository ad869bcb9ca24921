"""Permissions for single objects."""
