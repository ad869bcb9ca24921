"""Objects with permissions: with number and UUID keys, inside other objects, and with permission tables of their own."""

from uuid import uuid4

from django.contrib.auth.models import User
from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from auth_rbac.managers import PermittedQuerySet


class Company(models.Model):
    """Contains branches."""

    name = models.CharField(max_length=50)


class Branch(models.Model):
    """Contains orders."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE)


class Order(models.Model):
    """Lies in a branch and its company, or in none."""

    branch = models.ForeignKey(Branch, null=True, on_delete=models.CASCADE)

    objects = PermittedQuerySet.as_manager()


class Paper(models.Model):
    """Has a UUID key."""

    id = models.UUIDField(primary_key=True, default=uuid4)

    objects = PermittedQuerySet.as_manager()


class Plan(models.Model):
    """Has permission tables of its own."""

    id = models.UUIDField(primary_key=True, default=uuid4)

    objects = PermittedQuerySet.as_manager()


class ActiveNotices(models.Manager["Notice"]):
    """Leaves out withdrawn notices."""

    def get_queryset(self) -> models.QuerySet["Notice"]:
        """Return the notices that were not withdrawn."""
        return super().get_queryset().filter(is_withdrawn=False)


class Notice(models.Model):
    """Its default manager filters."""

    is_withdrawn = models.BooleanField(default=False)

    objects = ActiveNotices()


class PlanUserPermission(UserObjectPermissionBase):
    """A permission of a person for a plan."""

    content_object = models.ForeignKey(Plan, on_delete=models.CASCADE)


class PlanGroupPermission(GroupObjectPermissionBase):
    """A permission of a group for a plan."""

    content_object = models.ForeignKey(Plan, on_delete=models.CASCADE)


class Clerk(User):
    """A person, as an admin page of the site shows them."""

    class Meta:
        proxy = True
