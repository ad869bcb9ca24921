"""The user model: what `AbstractBaseUser` needs and no more. No one is staff, and no one can be disabled."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class PlayerManager(BaseUserManager["Player"]):
    """Creates users, and finds a handle in any case, as many sites do."""

    def create_user(self, handle: str, password: str | None = None) -> "Player":
        """Return a saved user."""
        user = self.model(handle=handle)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "Player":
        """Return the user with this handle, in any case."""
        return self.get(handle__iexact=username)


class Player(AbstractBaseUser):
    """A person of the site."""

    handle = models.CharField(max_length=20, unique=True)

    objects = PlayerManager()

    USERNAME_FIELD = "handle"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
