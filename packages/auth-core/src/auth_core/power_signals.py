"""Signal receivers that check changes of rights in an admin site before they are written.

A `ModelAdmin`, its inlines, its actions and its password page save rows and relations of
Django's models. The receivers of this module pass these changes to `auth_core.authority`
while a request of an admin site is handled (or inside `auth_core.authority.acting`). Other
code of a site is not checked: a view that adds a paying customer to a group is not
administration.

Statements that send no signal (``QuerySet.update``, ``bulk_create``) are not checked.
"""

from collections.abc import Callable, Collection, Iterable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.db.models.signals import m2m_changed, pre_delete, pre_save

from auth_core.authority import acting_person, check_flags, check_group, check_held, check_over, check_superuser
from auth_core.users import UserLike

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import Group

#: Columns of Django's user that are rights by themselves.
FLAGS = ("is_superuser", "is_staff")

#: Columns that every login writes.
_UNIMPORTANT = frozenset({"last_login"})

#: Receives the actor, the rows on one side of a relation and the rows on the other.
Check = Callable[[Any, Collection[Any], Collection[Any]], None]


def connect() -> None:
    """Connect the receivers for people, groups, permissions, and their relations."""
    user_model = get_user_model()
    _connect(user_model, saved=_person_saved, deleted=_person_deleted)
    _guard_relation(user_model, "groups", _check_membership)
    _guard_relation(user_model, "user_permissions", _check_own_permissions)
    if apps.is_installed("django.contrib.auth"):
        group = apps.get_model("auth.Group")
        _connect(group, saved=_group_saved, deleted=_group_deleted)
        _guard_relation(group, "permissions", _check_group_permissions)
        _connect(apps.get_model("auth.Permission"), saved=_permission_saved, deleted=_permission_deleted)
        _connect(apps.get_model("contenttypes.ContentType"), saved=_content_type_saved, deleted=_permission_deleted)


def _connect(model: type[Model], *, saved: Callable[..., None], deleted: Callable[..., None]) -> None:
    """Connect to *model*, its proxies and its children. Django sends the class of the instance as the sender."""
    pre_save.connect(saved, sender=model, dispatch_uid=f"auth_core.power.saved.{model._meta.label}")
    pre_delete.connect(deleted, sender=model, dispatch_uid=f"auth_core.power.deleted.{model._meta.label}")
    for kin in model.__subclasses__():
        _connect(kin, saved=saved, deleted=deleted)


# --- People -------------------------------------------------------------------


def _person_saved(
    sender: type[Model],
    instance: "AbstractBaseUser",
    raw: bool = False,
    update_fields: Iterable[str] | None = None,
    **kwargs: Any,
) -> None:
    actor = acting_person()
    if actor is None or raw:
        return
    stored = get_user_model()._base_manager.filter(pk=instance.pk).first()
    changed = _changed(stored, instance, update_fields)
    if not changed:
        return
    gained = [flag for flag in FLAGS if flag in changed and getattr(instance, flag, False)]
    check_flags(actor, *gained)
    if stored is not None:
        check_over(actor, stored)


def _changed(stored: Model | None, instance: Model, update_fields: Iterable[str] | None) -> set[str]:
    """Return the columns that are written with another value. For a new row, all that are written."""
    written = None if update_fields is None else set(update_fields)
    fields = [field for field in instance._meta.concrete_fields if field.name not in _UNIMPORTANT]
    return {
        field.name
        for field in fields
        if (written is None or field.name in written or field.attname in written)
        and (stored is None or getattr(stored, field.attname, _NOTHING) != getattr(instance, field.attname))
    }


#: Equals no value of a column.
_NOTHING = object()


def _person_deleted(instance: "AbstractBaseUser", **kwargs: Any) -> None:
    check_over(acting_person(), instance)


# --- Groups -------------------------------------------------------------------


def _group_saved(instance: "Group", raw: bool = False, **kwargs: Any) -> None:
    """Check a changed group. Policies know groups by their names."""
    if acting_person() is not None and not raw and not instance._state.adding:
        check_group(acting_person(), instance)


def _group_deleted(instance: "Group", **kwargs: Any) -> None:
    check_group(acting_person(), instance)


# --- Permissions and content types ---------------------------------------------


def _permission_saved(raw: bool = False, **kwargs: Any) -> None:
    """Check a changed permission. A new codename gives everyone who holds it another permission."""
    if not raw:
        check_superuser(acting_person())


def _permission_deleted(**kwargs: Any) -> None:
    check_superuser(acting_person())


def _content_type_saved(instance: Model, raw: bool = False, **kwargs: Any) -> None:
    """Check a changed content type. Django itself creates missing ones."""
    if not raw and not instance._state.adding:
        check_superuser(acting_person())


# --- Relations ------------------------------------------------------------------


def _check_membership(actor: UserLike | None, people: Collection[Any], groups: Collection[Any]) -> None:
    for group in groups:
        check_group(actor, group)
    for person in people:
        check_over(actor, person)


def _check_own_permissions(actor: UserLike | None, people: Collection[Any], permissions: Collection[Any]) -> None:
    check_held(actor, permissions)
    for person in people:
        check_over(actor, person)


def _check_group_permissions(actor: UserLike | None, groups: Collection[Any], permissions: Collection[Any]) -> None:
    for group in groups:
        check_group(actor, group)
    check_held(actor, permissions)


def _guard_relation(model: type[Model], name: str, check: Check) -> None:
    """Call *check* for every row that joins *model* to another, however it is written."""
    field = next((one for one in model._meta.many_to_many if one.name == name), None)
    if field is None:
        return
    through: Any = field.remote_field.through
    uid = f"auth_core.power.{through._meta.label}"
    m2m_changed.connect(partial(_relation_changed, field, check), sender=through, weak=False, dispatch_uid=uid)
    row_written = partial(_row_written, field, check)
    if through._meta.auto_created:
        _intercept_rows_of(through, row_written)
    else:
        for signal in (pre_save, pre_delete):
            signal.connect(row_written, sender=through, weak=False, dispatch_uid=uid)


def _relation_changed(
    field: Any,
    check: Check,
    *,
    instance: Model,
    action: str,
    reverse: bool,
    pk_set: Collection[Any] | None = None,
    **kwargs: Any,
) -> None:
    actor = acting_person()
    if actor is None or not action.startswith("pre_"):
        return
    # One end is the instance. The other end is named, or all related rows if they are cleared.
    other = field.model if reverse else field.related_model
    name = field.name if reverse else field.related_query_name()
    rows = other._base_manager
    others = list(rows.filter(**{name: instance}) if pk_set is None else rows.filter(pk__in=pk_set))
    if others:
        check(actor, *((others, [instance]) if reverse else ([instance], others)))


def _row_written(field: Any, check: Check, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Check one row of the join table. An inline saves and deletes rows without the relation's signal."""
    actor = acting_person()
    if actor is None or raw:
        return
    ends = (
        type(instance)._meta.get_field(field.m2m_field_name()).attname,
        type(instance)._meta.get_field(field.m2m_reverse_field_name()).attname,
    )
    stored = type(instance)._base_manager.filter(pk=instance.pk).values_list(*ends)
    for one, other in {*stored, tuple(getattr(instance, end) for end in ends)}:
        owners, targets = field.model._base_manager.filter(pk=one), field.related_model._base_manager.filter(pk=other)
        check(actor, list(owners), list(targets))


def _intercept_rows_of(through: type[Model], receiver: Callable[..., None]) -> None:
    """Call *receiver* before a row of an automatic join table is saved or deleted. Django sends no signal for it."""

    def notifying(method: Callable[..., Any]) -> Any:
        @wraps(method)
        def call(self: Model, *args: Any, **kwargs: Any) -> Any:
            receiver(instance=self)
            return method(self, *args, **kwargs)

        return call

    for name in ("save_base", "delete"):
        method = getattr(through, name)
        if not hasattr(method, "__wrapped__"):
            setattr(through, name, notifying(method))
