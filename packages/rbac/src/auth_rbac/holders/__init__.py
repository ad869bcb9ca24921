"""The holders of roles: people, groups and services."""
