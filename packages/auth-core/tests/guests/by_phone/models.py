"""The user model."""

from secrets import token_hex
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models


class CallerManager(BaseUserManager["Caller"]):
    """Creates users."""

    def create_user(self, phone: str, password: str | None = None, **fields: Any) -> "Caller":
        """Return a saved user."""
        user = self.model(phone=phone, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, phone: str, password: str | None = None, **fields: Any) -> "Caller":
        """Return a saved superuser."""
        return self.create_user(phone, password, is_staff=True, is_superuser=True, **fields)


class Caller(AbstractBaseUser, PermissionsMixin):
    """A person of the site."""

    id = models.CharField(primary_key=True, max_length=64, default=token_hex, editable=False)
    phone = models.CharField(max_length=16, unique=True, validators=[RegexValidator(r"^\+[0-9]+\Z")])
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = CallerManager()

    USERNAME_FIELD = "phone"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
