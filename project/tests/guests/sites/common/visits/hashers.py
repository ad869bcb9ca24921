from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """The site's former hasher, quick enough for tests."""

    algorithm = "quick"
    iterations = 10
