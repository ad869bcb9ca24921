"""What administrators do with applications and resources after their registration."""
