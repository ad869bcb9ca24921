import secrets

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


def new_key():
    return f"p-{secrets.token_hex(8)}"


class PeopleManager(BaseUserManager):
    def create_user(self, phone, password=None, **fields):
        person = self.model(phone=phone, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, phone, password=None, **fields):
        return self.create_user(phone, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    key = models.CharField(max_length=20, primary_key=True, default=new_key, editable=False)
    phone = models.CharField(max_length=20, unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = PeopleManager()

    USERNAME_FIELD = "phone"

    def __str__(self) -> str:
        return self.phone
