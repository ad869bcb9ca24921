"""A user model that signs in by e-mail address; swappable, like Django's own."""
