"""Users with a handle and a password, and nothing else."""
