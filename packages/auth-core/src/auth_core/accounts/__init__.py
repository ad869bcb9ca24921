"""A swappable user model that signs in by e-mail address."""
