"""An assignment: who has which role, where, from when until when, who granted it and why."""

from datetime import datetime
from typing import Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.people.lookup import identity_of
from auth_core.users import UserLike
from auth_rbac.models.holder import Holder, HolderKind, public_id_of_group
from auth_rbac.models.role import Role
from auth_rbac.models.versioned_queryset import VersionedQuerySet


class AssignmentQuerySet(VersionedQuerySet["Assignment"]):
    """Queries for assignments."""

    def in_force(self, moment: datetime | None = None) -> Self:
        """Return those in force at *moment* (default: now). This is evaluated on read. No job changes rows."""
        at = moment or timezone.now()
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=at), valid_from__lte=at)

    def of(self, user: UserLike) -> Self:
        """Return those that *user* holds in person. An anonymous user has none."""
        return self.filter(user_id=user.pk) if user.pk is not None else self.none()

    def reaching(self, user: UserLike) -> Self:
        """Return those that *user* holds in person or through a group."""
        if user.pk is None:
            return self.none()
        groups = user.groups.values("pk") if hasattr(user, "groups") else Group.objects.none().values("pk")
        return self.filter(Q(user_id=user.pk) | Q(group__in=groups))

    def of_service(self, public_id: UUID) -> Self:
        """Return those that the service with this public id holds. A service has no groups."""
        return self.filter(service_id=public_id)

    def of_kind(self, kind: HolderKind) -> Self:
        """Return those of all holders of one kind."""
        column = {HolderKind.PERSON: "user", HolderKind.GROUP: "group", HolderKind.SERVICE: "service_id"}[kind]
        return self.filter(**{f"{column}__isnull": False})

    def everywhere(self) -> Self:
        """Return those that are not bound to an object."""
        return self.filter(scope_type=None)


class Assignment(models.Model):
    """The assignment of a role to a person, to everybody in a group or to a service, everywhere or for one object.

    A service, such as an OAuth application, belongs to another app. It is named by its public id, without a foreign key,
    and `auth_core.registries.holder_kinds` resolves the id. An assignment to a service that is gone has no effect.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="role_assignments",
        verbose_name=_("user"),
    )
    group = models.ForeignKey(
        Group, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("group")
    )
    service_id = models.UUIDField(_("service"), null=True, blank=True, help_text=_("Public ID of a service."))
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="assignments", verbose_name=_("role"))
    scope_type = models.ForeignKey(
        ContentType,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("kind of object"),
        help_text=_("Empty: everywhere."),
    )
    scope_id = models.CharField(
        _("object"), max_length=255, blank=True, help_text=_("Key of the object it is bound to.")
    )
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True, help_text=_("Empty: until revoked."))
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("granted by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        indexes = [
            models.Index(fields=["scope_type", "scope_id"], name="auth_rbac_assignment_scope"),
            models.Index(
                fields=["service_id"], condition=Q(service_id__isnull=False), name="auth_rbac_assignment_service"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"], condition=Q(scope_type=None), name="auth_rbac_assignment_everywhere"
            ),
            models.UniqueConstraint(
                fields=["user", "role", "scope_type", "scope_id"],
                condition=Q(scope_type__isnull=False),
                name="auth_rbac_assignment_in_scope",
            ),
            models.UniqueConstraint(
                fields=["group", "role"], condition=Q(scope_type=None), name="auth_rbac_group_everywhere"
            ),
            models.UniqueConstraint(
                fields=["group", "role", "scope_type", "scope_id"],
                condition=Q(scope_type__isnull=False),
                name="auth_rbac_group_in_scope",
            ),
            models.UniqueConstraint(
                fields=["service_id", "role"], condition=Q(scope_type=None), name="auth_rbac_service_everywhere"
            ),
            models.UniqueConstraint(
                fields=["service_id", "role", "scope_type", "scope_id"],
                condition=Q(scope_type__isnull=False),
                name="auth_rbac_service_in_scope",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False, group=None, service_id=None)
                | Q(user=None, group__isnull=False, service_id=None)
                | Q(user=None, group=None, service_id__isnull=False),
                name="auth_rbac_assignment_one_holder",
            ),
            models.CheckConstraint(
                condition=Q(scope_type=None, scope_id="") | (Q(scope_type__isnull=False) & ~Q(scope_id="")),
                name="auth_rbac_assignment_whole_scope",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="auth_rbac_assignment_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder_kind} {self.user_id or self.group_id or self.service_id}: {self.role_id}"

    @property
    def holder_kind(self) -> HolderKind:
        """Who holds the role: a person, a group or a service."""
        if self.service_id is not None:
            return HolderKind.SERVICE
        return HolderKind.PERSON if self.group_id is None else HolderKind.GROUP

    @property
    def holder(self) -> Holder:
        """The holder by public id. It takes no query if the user or group and its identity are loaded."""
        if self.service_id is not None:
            return Holder(HolderKind.SERVICE, self.service_id)
        if self.group is not None:
            return Holder(HolderKind.GROUP, public_id_of_group(self.group))
        if self.user is None:
            raise ValueError("This assignment has no holder.")
        return Holder(HolderKind.PERSON, identity_of(self.user).subject_id)

    @property
    def scope(self) -> str:
        """``everywhere``, or ``app.model:key``. Django caches the content type."""
        if self.scope_type_id is None:
            return "everywhere"
        kind = ContentType.objects.get_for_id(self.scope_type_id)
        return f"{kind.app_label}.{kind.model}:{self.scope_id}"
