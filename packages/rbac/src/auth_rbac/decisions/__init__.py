"""Decides whether a subject has a permission, and filters querysets by the same rule."""
