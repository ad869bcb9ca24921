"""The pages of sessions and devices."""
