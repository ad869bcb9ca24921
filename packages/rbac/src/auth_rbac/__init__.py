"""Roles and permissions for Django."""
