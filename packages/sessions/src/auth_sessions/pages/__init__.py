"""The pages about sessions and devices."""
