"""Signal receivers: they update the closure and, on databases without triggers, the versions of cached decisions."""

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.db.models.signals import (
    m2m_changed,
    post_delete,
    post_migrate,
    post_save,
    pre_delete,
    pre_migrate,
    pre_save,
)
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from auth_core.events import AuthEvent, Event, event_recorded
from auth_core.people.locking import LockReason
from auth_core.people.lookup import person_changed
from auth_rbac import declared_permissions
from auth_rbac.database import administrator_trigger, indexes, object_triggers, orphans, triggers
from auth_rbac.holders.descriptions import describe_services
from auth_rbac.holders.lookup import unknown_holder
from auth_rbac.models import Assignment, Role, RoleClosure, RoleEdge, Wildcard
from auth_rbac.models.version import has_triggers, lock_graph, touch_graph, touch_person, touch_service
from auth_rbac.roles import hierarchy, last_administrator

if TYPE_CHECKING:
    from django.apps import AppConfig
    from django.db.models import Model


def connect(app: "AppConfig") -> None:
    """Connect all receivers."""
    uid = "auth_rbac.{}".format
    pre_save.connect(check_new_edge, sender=RoleEdge, dispatch_uid=uid("check_new_edge"))
    post_save.connect(close_after_edge, sender=RoleEdge, dispatch_uid=uid("close_after_edge"))
    post_delete.connect(close_after_edge, sender=RoleEdge, dispatch_uid=uid("open_after_edge"))
    post_save.connect(close_new_role, sender=Role, dispatch_uid=uid("close_new_role"))
    pre_delete.connect(open_before_role, sender=Role, dispatch_uid=uid("open_before_role"))
    for model in (Role, Wildcard, RoleEdge, Permission):
        post_save.connect(graph_changed, sender=model, dispatch_uid=uid("graph_saved"))
        post_delete.connect(graph_changed, sender=model, dispatch_uid=uid("graph_deleted"))
    for through in (Role.permissions.through, Role.denials.through, Group.permissions.through):
        m2m_changed.connect(graph_changed, sender=through, dispatch_uid=uid("graph_changed"))
    for name in ("groups", "user_permissions"):
        if between := getattr(getattr(get_user_model(), name, None), "through", None):
            m2m_changed.connect(membership_changed, sender=between, dispatch_uid=uid("membership_changed"))
            m2m_changed.connect(last_administrator.keep_when_taken, sender=between, dispatch_uid=uid("keep_member"))
    group_permissions = Group.permissions.through
    m2m_changed.connect(last_administrator.keep_when_taken, sender=group_permissions, dispatch_uid=uid("keep_group"))
    pre_delete.connect(last_administrator.keep_before_taking, sender=Group, dispatch_uid=uid("keep_before_group"))
    post_delete.connect(last_administrator.keep_after_taking, sender=Group, dispatch_uid=uid("keep_after_group"))
    for model in holding_models():
        post_save.connect(holding_changed, sender=model, dispatch_uid=uid("holding_saved"))
        post_delete.connect(holding_changed, sender=model, dispatch_uid=uid("holding_deleted"))
    for people in user_models():
        label = people._meta.label
        pre_save.connect(last_administrator.keep_before_saving, sender=people, dispatch_uid=uid(f"keep_saved.{label}"))
        pre_delete.connect(
            last_administrator.keep_before_deleting, sender=people, dispatch_uid=uid(f"keep_deleted.{label}")
        )
        post_delete.connect(
            last_administrator.keep_after_deleting, sender=people, dispatch_uid=uid(f"keep_one.{label}")
        )
    event_recorded.connect(keep_an_active_administrator, dispatch_uid=uid("keep_active"))
    for rights in orphans.all_rights():
        pre_save.connect(lock_object, sender=rights.model, dispatch_uid=uid("lock_object"))
    pre_save.connect(check_service, sender=Assignment, dispatch_uid=uid("check_service"))
    pre_migrate.connect(before_migration, sender=app, dispatch_uid=uid("before_migration"))
    post_migrate.connect(after_migration, sender=app, dispatch_uid=uid("after_migration"))


def user_models() -> list[Any]:
    """Return the user model, its proxies and its children. Django sends the class of the instance as the sender."""
    return [model for model in apps.get_models() if issubclass(model, get_user_model())]


def holding_models() -> list[Any]:
    """Return the models whose rows give something to one person or one group."""
    bases = (UserObjectPermissionBase, GroupObjectPermissionBase)
    return [Assignment, *(model for model in apps.get_models() if issubclass(model, bases))]


def before_migration(using: str, **kwargs: Any) -> None:
    """Drop the triggers on objects and people on SQLite, where a migration could not rename a table with them."""
    if connections[using].vendor == "sqlite":
        object_triggers.lift(using)
        administrator_trigger.lift(using)


def after_migration(using: str, **kwargs: Any) -> None:
    """Create missing triggers and indexes, and the permissions that the site declares."""
    triggers.lay(using)
    indexes.lay(using)
    object_triggers.lay(using)
    administrator_trigger.lay(using)
    declared_permissions.make_declared(using)


def lock_object(instance: Any, using: str, raw: bool = False, **kwargs: Any) -> None:
    """Refuse a right for an object that does not exist, and keep the object until the right is committed."""
    kind_id = getattr(instance, "scope_type_id", None) or getattr(instance, "content_type_id", None)
    if kind_id is not None and instance._state.adding and not raw:
        orphans.lock_object(kind_id, instance.scope_id if hasattr(instance, "scope_id") else instance.object_pk, using)


def check_service(instance: Assignment, raw: bool = False, **kwargs: Any) -> None:
    """Refuse an assignment to a service that does not exist, on every path that saves a row."""
    service_id = instance.service_id
    if service_id is not None and instance._state.adding and not raw and not describe_services({service_id}):
        raise unknown_holder()


def check_new_edge(instance: RoleEdge, raw: bool = False, **kwargs: Any) -> None:
    """Refuse a cycle or a chain that is too long. Fixtures are not checked: they are in no order."""
    if not raw:
        lock_graph()
        hierarchy.check_edge(instance.child_id, instance.parent_id)


def close_after_edge(instance: RoleEdge, **kwargs: Any) -> None:
    """Update the closure after an edge was created or deleted."""
    hierarchy.rebuild_below(instance.child_id)


def close_new_role(instance: Role, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Make a new role its own ancestor. A fixture contains its closure."""
    if created and not raw:
        RoleClosure.objects.create(role=instance, ancestor=instance, distance=0)


def open_before_role(instance: Role, **kwargs: Any) -> None:
    """Remove a role from the closure of the roles below it, before it is deleted."""
    for child in RoleEdge.objects.filter(parent=instance).values_list("child_id", flat=True):
        hierarchy.rebuild_below(child, without=instance.pk)


def graph_changed(using: str, **kwargs: Any) -> None:
    """Invalidate all cached decisions."""
    if not has_triggers(using) and kwargs.get("action", "post").startswith("post"):
        touch_graph(using)


def holding_changed(instance: "Model", using: str, created: bool = True, **kwargs: Any) -> None:
    """Invalidate the cached decisions about one person or service, or about everybody if a group is concerned."""
    user_pk, service_id = getattr(instance, "user_id", None), getattr(instance, "service_id", None)
    if user_pk is not None:
        person_changed(user_pk)
    if has_triggers(using):
        return
    if not created:
        # The row may have had another holder before.
        touch_graph(using)
    elif user_pk is not None:
        touch_person(user_pk, using)
    elif service_id is not None:
        touch_service(service_id, using)
    else:
        touch_graph(using)


def membership_changed(
    instance: "Model", action: str, reverse: bool, using: str, pk_set: set[Any] | None, **kwargs: Any
) -> None:
    """Invalidate the cached decisions about the people whose groups or own permissions change."""
    if not action.startswith("post"):
        return
    people = (pk_set or set()) if reverse else {instance.pk}
    for user_pk in people:
        person_changed(user_pk)
    if has_triggers(using):
        return
    if reverse and action == "post_clear":
        # The signal does not contain the people who were removed.
        touch_graph(using)
    for user_pk in people:
        touch_person(user_pk, using)


def keep_an_active_administrator(event: Event, **kwargs: Any) -> None:
    """Refuse to disable or lock the last administrator. The event is recorded in the transaction of the change."""
    if event.name is AuthEvent.ACCOUNT_DISABLED:
        last_administrator.keep_after_disabling(event.subject)
    elif event.name is AuthEvent.ACCOUNT_LOCKED and event.reason == LockReason.ADMINISTRATOR:
        last_administrator.keep_after_locking(event.subject)
