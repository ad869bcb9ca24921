"""Settings. `base` is common to all."""
