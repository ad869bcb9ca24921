"""Objects to hold permissions on: with numbers and with UUIDs for keys, inside of others, and with tables of their own."""

from uuid import uuid4

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from auth_rbac.managers import PermittedQuerySet


class Company(models.Model):
    """What a branch belongs to."""

    name = models.CharField(max_length=50)


class Branch(models.Model):
    """What an order belongs to."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE)


class Order(models.Model):
    """Lies in a branch and in its company, or in none."""

    branch = models.ForeignKey(Branch, null=True, on_delete=models.CASCADE)

    objects = PermittedQuerySet.as_manager()


class Paper(models.Model):
    """Has a UUID."""

    id = models.UUIDField(primary_key=True, default=uuid4)

    objects = PermittedQuerySet.as_manager()


class Plan(models.Model):
    """Has tables of its own for its permissions."""

    id = models.UUIDField(primary_key=True, default=uuid4)

    objects = PermittedQuerySet.as_manager()


class PlanUserPermission(UserObjectPermissionBase):
    """Who may do what with a plan."""

    content_object = models.ForeignKey(Plan, on_delete=models.CASCADE)


class PlanGroupPermission(GroupObjectPermissionBase):
    """Which group may do what with a plan."""

    content_object = models.ForeignKey(Plan, on_delete=models.CASCADE)
