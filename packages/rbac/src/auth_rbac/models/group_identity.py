"""The public id of a group."""

from uuid import uuid4

from django.contrib.auth.models import Group
from django.db import models


class GroupIdentity(models.Model):
    """The public identity of a group, created on first use, like `auth_core.models.Identity` of a user.

    The key of a group is a number, which would reveal how many groups there are, and its name can change.
    """

    group = models.OneToOneField(Group, primary_key=True, on_delete=models.CASCADE, related_name="rbac_identity")
    public_id = models.UUIDField(unique=True, default=uuid4, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.public_id)
