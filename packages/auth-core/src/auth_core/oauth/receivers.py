"""Receivers of this app."""

from collections.abc import Collection, Mapping
from typing import Any

from django.apps import AppConfig
from django.db import router
from django.db.models.signals import post_delete, post_migrate, post_save, pre_save
from django.utils.translation import gettext
from oauth2_provider.models import get_application_model

from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import AuthEvent, Event, EventName, event_recorded
from auth_core.oauth.clients.application_values import RULED_COLUMNS, ApplicationValues, values_of
from auth_core.oauth.clients.registration import refuse_problems
from auth_core.oauth.clients.sectors import problems_of_move, sector_of
from auth_core.oauth.grants.ends import end_given_by
from auth_core.oauth.keys.key_set import forget_keys
from auth_core.oauth.keys.rotation import make_first_keys
from auth_core.oauth.keys.subjects import make_subject_key
from auth_core.oauth.models import ApplicationPolicy, SigningKey


def connect(app: AppConfig) -> None:
    """Connect to applications, signing keys, and the end of a migration of *app*."""
    post_migrate.connect(_migrated, sender=app, dispatch_uid="auth_oauth.migrated")
    post_save.connect(_application_saved, sender=get_application_model(), dispatch_uid="auth_oauth.application_saved")
    pre_save.connect(_refuse_broken_rules, sender=get_application_model(), dispatch_uid="auth_oauth.application_rules")
    pre_save.connect(_refuse_broken_rules, sender=ApplicationPolicy, dispatch_uid="auth_oauth.policy_rules")
    event_recorded.connect(_end_authorizations, dispatch_uid="auth_oauth.end_authorizations")
    for signal in (post_save, post_delete):
        signal.connect(forget_keys, sender=SigningKey, dispatch_uid=f"auth_oauth.signing_key.{id(signal)}")


def _migrated(using: str, **kwargs: Any) -> None:
    """Make the first keys, and the policies of applications that django-oauth-toolkit had before."""
    if using != router.db_for_write(SigningKey):
        return
    make_first_keys()
    make_subject_key()
    model = get_application_model()
    without = model._default_manager.filter(auth_policy=None)
    ApplicationPolicy.objects.bulk_create(
        [ApplicationPolicy(application=row) for row in without], ignore_conflicts=True
    )


def _application_saved(instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:
    """Give each new application a policy, however it was made."""
    if created and not raw:
        ApplicationPolicy.objects.get_or_create(application=instance)


def _refuse_broken_rules(
    instance: Any, raw: bool = False, update_fields: Collection[str] | None = None, **kwargs: Any
) -> None:
    """Refuse a change that breaks the rules of a registration, on every path that saves a row.

    A new row has a policy without a choice. What is registered by other code than ours is checked when a client uses it.

    Raises:
        InvalidRequest: with every problem.
    """
    is_concerned = update_fields is None or not RULED_COLUMNS.isdisjoint(update_fields)
    if raw or instance._state.adding or not is_concerned:
        return
    policy = instance if isinstance(instance, ApplicationPolicy) else getattr(instance, "auth_policy", None)
    if policy is not None:
        values = values_of(policy)
        refuse_problems(values)
        _refuse_other_ids(policy, values)


def _refuse_other_ids(policy: ApplicationPolicy, values: ApplicationValues) -> None:
    """Refuse other ids of people who use the application, and a sector that its values do not have.

    Raises:
        InvalidRequest: with the problem.
    """
    stored = ApplicationPolicy.objects.filter(pk=policy.pk).first()
    problems = [] if stored is None else list(problems_of_move(stored, policy.subject_type, policy.sector))
    if policy.sector != sector_of(values):
        problems.append(FieldError("sector_identifier_uri", "invalid", gettext("The sector comes from the addresses.")))
    if problems:
        raise InvalidRequest(*problems)


#: What ends everything that a person gave, offline as well, and what is recorded as the reason.
_ENDS_OF_PEOPLE: Mapping[EventName, str] = {
    AuthEvent.PASSWORD_RESET: "password_reset",
    AuthEvent.ACCOUNT_DISABLED: "disabled",
    AuthEvent.ACCOUNT_LOCKED: "locked",
}


def _end_authorizations(event: Event, **kwargs: Any) -> None:
    """End what a person gave, in the transaction that changes the account. `logout.backchannel` ends what a session gave."""
    if event.name is AuthEvent.PASSWORD_CHANGED:
        end_given_by(event.subject, reason="password_changed", keep_session=event.session)
    elif event.name in _ENDS_OF_PEOPLE:
        end_given_by(event.subject, reason=_ENDS_OF_PEOPLE[event.name])
