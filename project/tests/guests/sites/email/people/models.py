import uuid

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models


class PeopleManager(BaseUserManager):
    use_in_migrations = True

    def create_user(self, email, password=None, **fields):
        person = self.model(email=self.normalize_email(email), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = None
    email = models.EmailField(unique=True)

    objects = PeopleManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
