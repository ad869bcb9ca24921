"""Roles, their hierarchy and their assignment, and who may change them."""
