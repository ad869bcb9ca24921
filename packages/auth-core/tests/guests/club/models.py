"""The user model."""

from datetime import date
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class FellowManager(BaseUserManager["Fellow"]):
    """Creates users."""

    def create_user(self, number: int, password: str | None = None, **fields: Any) -> "Fellow":
        """Return a saved user."""
        fields.setdefault("born_on", date(1990, 1, 1))
        user = self.model(number=number, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class Fellow(AbstractBaseUser, PermissionsMixin):
    """A person of the site."""

    number = models.IntegerField(unique=True)
    contact = models.EmailField(blank=True)
    born_on = models.DateField()
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = FellowManager()

    USERNAME_FIELD = "number"
    EMAIL_FIELD = "contact"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["born_on"]
