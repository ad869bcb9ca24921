from django.conf import settings
from django.db import models


class Visit(models.Model):
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    note = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.note
