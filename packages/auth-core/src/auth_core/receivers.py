"""Receivers of this package."""

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete, post_migrate, post_save

from auth_core.events import AuthEvent, Event, event_recorded
from auth_core.flows import password_reset
from auth_core.models import EmailAddress, Identity
from auth_core.people import column_index
from auth_core.people.lookup import person_changed

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


def connect(app: AppConfig) -> None:
    """Connect to every model whose rows are copied into caches, and to the end of a migration of *app*."""
    post_migrate.connect(_migrated, sender=app, dispatch_uid="auth_core.migrated")
    for model, receiver in ((get_user_model(), _user_changed), (Identity, _row_changed), (EmailAddress, _row_changed)):
        for signal in (post_save, post_delete):
            signal.connect(receiver, sender=model, dispatch_uid=f"auth_core.{model.__name__}.{id(signal)}")
    event_recorded.connect(_factor_changed, dispatch_uid="auth_core.factor_changed")


def _migrated(using: str, **kwargs: Any) -> None:
    column_index.update_indexes(using)


def _user_changed(instance: "AbstractBaseUser", **kwargs: Any) -> None:
    """Ignore a login that only updates ``last_login``. No copy holds it."""
    if kwargs.get("update_fields") != frozenset({"last_login"}):
        person_changed(instance.pk)


def _row_changed(instance: Identity | EmailAddress, **kwargs: Any) -> None:
    person_changed(instance.user_id)


def _factor_changed(event: Event, **kwargs: Any) -> None:
    """Revoke reset links when second factors change. They were requested for another state of the account."""
    if event.name in (AuthEvent.FACTOR_ADDED, AuthEvent.FACTOR_REMOVED):
        password_reset.kill_reset_links(event.subject)
