"""argon2id at the cost of the product."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class SameCost(Argon2PasswordHasher):
    """Two passes over 19 MiB, one lane."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
