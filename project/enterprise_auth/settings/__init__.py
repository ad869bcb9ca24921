"""Settings: `base` is what all have in common."""
