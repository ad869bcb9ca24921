"""Changes of rights in an admin site: asked about before they are written, whichever page writes them.

A `ModelAdmin`, its inlines, its actions and its password page save rows and relations of
Django's models. Their signals are heard here, and `auth_core.authority` decides, as long as
a request of an admin site is at work (or `auth_core.authority.acting`). All other code of a
site is not asked: a view that adds the person who pays to a group does not administer.

Statements that send no signal (``QuerySet.update``, ``bulk_create``) are not heard.
"""

from collections.abc import Callable, Collection, Iterable
from functools import partial, wraps
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.db.models.signals import m2m_changed, pre_delete, pre_save

from auth_core.authority import acting_person, check_flags, check_group, check_held, check_over, check_superuser

#: Columns of Django's user that are powers by themselves.
FLAGS = ("is_superuser", "is_staff")

#: Written by every login.
_UNIMPORTANT = frozenset({"last_login"})

#: What one relation joins: the rows on its one side, and those on the other.
Check = Callable[[Any, Collection[Any], Collection[Any]], None]


def connect() -> None:
    """Listen to people, groups, permissions, and to what joins them."""
    user_model = get_user_model()
    _connect(user_model, saved=_person_saved, deleted=_person_deleted)
    _guard_relation(user_model, "groups", _check_membership)
    _guard_relation(user_model, "user_permissions", _check_own_permissions)
    if apps.is_installed("django.contrib.auth"):
        group = apps.get_model("auth.Group")
        _connect(group, saved=_group_saved, deleted=_group_deleted)
        _guard_relation(group, "permissions", _check_group_permissions)
        _connect(apps.get_model("auth.Permission"), saved=_vocabulary_saved, deleted=_vocabulary_deleted)
        _connect(apps.get_model("contenttypes.ContentType"), saved=_kind_saved, deleted=_vocabulary_deleted)


def _connect(model: Any, *, saved: Callable[..., None], deleted: Callable[..., None]) -> None:
    """Listen to *model*, and to its proxies and children: Django names the class of the instance as the sender."""
    pre_save.connect(saved, sender=model, dispatch_uid=f"auth_core.power.saved.{model._meta.label}")
    pre_delete.connect(deleted, sender=model, dispatch_uid=f"auth_core.power.deleted.{model._meta.label}")
    for kin in model.__subclasses__():
        _connect(kin, saved=saved, deleted=deleted)


# --- People -------------------------------------------------------------------


def _person_saved(
    sender: Any, instance: Any, raw: bool = False, update_fields: Iterable[str] | None = None, **kwargs: Any
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


def _changed(stored: Any, instance: Any, update_fields: Iterable[str] | None) -> set[str]:
    """Return the columns that are written with another value; all that are written of a new row."""
    named = None if update_fields is None else set(update_fields)
    fields = [field for field in instance._meta.concrete_fields if field.name not in _UNIMPORTANT]
    return {
        field.name
        for field in fields
        if (named is None or field.name in named or field.attname in named)
        and (stored is None or getattr(stored, field.attname, _NOTHING) != getattr(instance, field.attname))
    }


#: Equals no value of a column.
_NOTHING = object()


def _person_deleted(instance: Any, **kwargs: Any) -> None:
    check_over(acting_person(), instance)


# --- Groups -------------------------------------------------------------------


def _group_saved(instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Hear of a group that gets another name: policies know groups by their names."""
    if acting_person() is not None and not raw and not instance._state.adding:
        check_group(acting_person(), instance)


def _group_deleted(instance: Any, **kwargs: Any) -> None:
    check_group(acting_person(), instance)


# --- The vocabulary: what permissions there are --------------------------------


def _vocabulary_saved(raw: bool = False, **kwargs: Any) -> None:
    """Hear of a permission: one that is called something else is another one for everyone who holds it."""
    if not raw:
        check_superuser(acting_person())


def _vocabulary_deleted(**kwargs: Any) -> None:
    check_superuser(acting_person())


def _kind_saved(instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Hear of a content type that changes; Django makes those that are missing by itself."""
    if not raw and not instance._state.adding:
        check_superuser(acting_person())


# --- What joins them ------------------------------------------------------------


def _check_membership(actor: Any, people: Collection[Any], groups: Collection[Any]) -> None:
    for group in groups:
        check_group(actor, group)
    for person in people:
        check_over(actor, person)


def _check_own_permissions(actor: Any, people: Collection[Any], permissions: Collection[Any]) -> None:
    check_held(actor, permissions)
    for person in people:
        check_over(actor, person)


def _check_group_permissions(actor: Any, groups: Collection[Any], permissions: Collection[Any]) -> None:
    for group in groups:
        check_group(actor, group)
    check_held(actor, permissions)


def _guard_relation(model: Any, name: str, check: Check) -> None:
    """Ask *check* about every row that joins *model* to another, by whichever door it is written."""
    field = next((one for one in model._meta.many_to_many if one.name == name), None)
    if field is None:
        return
    through: Any = field.remote_field.through
    uid = f"auth_core.power.{through._meta.label}"
    m2m_changed.connect(partial(_relation_changed, field, check), sender=through, weak=False, dispatch_uid=uid)
    row_written = partial(_row_written, field, check)
    if through._meta.auto_created:
        _hear_rows_of(through, row_written)
    else:
        for signal in (pre_save, pre_delete):
            signal.connect(row_written, sender=through, weak=False, dispatch_uid=uid)


def _relation_changed(
    field: Any,
    check: Check,
    *,
    instance: Any,
    action: str,
    reverse: bool,
    pk_set: Collection[Any] | None = None,
    **kwargs: Any,
) -> None:
    actor = acting_person()
    if actor is None or not action.startswith("pre_"):
        return
    # The one end is the instance. The other is named, or all there are when they are cleared.
    other = field.model if reverse else field.related_model
    name = field.name if reverse else field.related_query_name()
    rows = other._base_manager
    found = list(rows.filter(**{name: instance}) if pk_set is None else rows.filter(pk__in=pk_set))
    if found:
        check(actor, *((found, [instance]) if reverse else ([instance], found)))


def _row_written(field: Any, check: Check, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Hear of one row of a relation's own table: an inline saves and deletes rows, without the relation's signal."""
    actor = acting_person()
    if actor is None or raw:
        return
    ends = (
        type(instance)._meta.get_field(field.m2m_field_name()).attname,
        type(instance)._meta.get_field(field.m2m_reverse_field_name()).attname,
    )
    stored = type(instance)._base_manager.filter(pk=instance.pk).values_list(*ends)
    for one, other in {*stored, tuple(getattr(instance, end) for end in ends)}:
        of_this, of_that = field.model._base_manager.filter(pk=one), field.related_model._base_manager.filter(pk=other)
        check(actor, list(of_this), list(of_that))


def _hear_rows_of(through: Any, heard: Callable[..., None]) -> None:
    """Have *heard* called before a row of an automatic table is saved or deleted: Django sends no signal for those."""

    def telling(method: Any) -> Any:
        @wraps(method)
        def told(self: Model, *args: Any, **kwargs: Any) -> Any:
            heard(instance=self)
            return method(self, *args, **kwargs)

        return told

    for name in ("save_base", "delete"):
        method = getattr(through, name)
        if not hasattr(method, "__wrapped__"):
            setattr(through, name, telling(method))
