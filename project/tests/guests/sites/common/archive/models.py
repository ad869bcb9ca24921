from django.db import models


class Shelf(models.Model):
    """A model without a relation, which a router may keep in another database."""

    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name
