"""How an application is registered, and the rules that it obeys from then on. Every way to register one calls this module."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Unpack
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from oauth2_provider.models import get_application_model

from auth_core.assurance.levels import Assurance
from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.oauth.clients.application_values import (
    ApplicationSettings,
    ApplicationValues,
    changes_between,
    default_values,
    merged,
    write_values,
)
from auth_core.oauth.clients.authorization_details import is_type
from auth_core.oauth.clients.key_policy import problems_of_keys
from auth_core.oauth.clients.redirect_uris import is_web, why_no_origin, why_not_allowed
from auth_core.oauth.clients.registry import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from auth_core.oauth.clients.scopes import is_scope, why_no_audience
from auth_core.oauth.clients.sectors import problems_of_document, problems_of_sector
from auth_core.oauth.conf import HIGH, oauth
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.hashers import new_client_secret
from auth_core.oauth.keys.key_set import key_set
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.models.application_policy import AuthMethod, TokenFormat
from auth_core.users import UserLike

#: The grant types that an application may have. The first two are those of an application without a choice.
GRANTS = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE)
_USUAL = (AUTHORIZATION_CODE, REFRESH_TOKEN)

#: Longest name and longest address of a page, in characters, and most members of a list.
LONGEST_NAME, LONGEST_PAGE, MOST_MEMBERS = 255, 512, 100

_ADDRESSES = ("redirect_uris", "post_logout_redirect_uris")
_PAGES = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "backchannel_logout_uri")
_LIFETIMES = ("access_token_lifetime", "refresh_token_lifetime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A new application.

    Args:
        policy: Its policy, with its public id.
        client_id: The id that requests send.
        secret: Its secret. It is stored as a hash and is never shown again. Empty for a public application, and for one
            with a key.
    """

    policy: ApplicationPolicy
    client_id: str
    secret: str = field(repr=False)


def create_application(
    *,
    name: str,
    is_public: bool = False,
    actor: UserLike | None = None,
    shown_in: UUID | None = None,
    asks_sector: bool = True,
    **settings: Unpack[ApplicationSettings],
) -> Registration:
    """Register an application, with its policy.

    Args:
        name: What people read before they consent.
        is_public: Whether it cannot keep a secret: a program on a device, or in a browser.
        actor: The administrator who registers it.
        shown_in: Public id of the session whose page shows the secret once (`ShownOnce.take_unread`). ``None``: the caller
            shows it.
        asks_sector: Whether the site of its sector is asked. A caller that has asked it, before a transaction, says no.
        settings: See `ApplicationSettings`. Without a grant type it has those of a login.

    Raises:
        InvalidRequest: a value is not allowed.
    """
    values = merged(
        default_values(name=name, is_public=is_public), {**settings, "grants": settings.get("grants") or _USUAL}
    )
    refuse_problems(values)
    if asks_sector:
        refuse_foreign_sector(values)
    has_secret = not is_public and values["auth_method"] != AuthMethod.PRIVATE_KEY
    secret = new_client_secret() if has_secret else ""
    model = get_application_model()
    with transaction.atomic():
        row: Any = model.objects.create(
            name=name,
            client_type=model.CLIENT_PUBLIC if is_public else model.CLIENT_CONFIDENTIAL,
            authorization_grant_type=model.GRANT_AUTHORIZATION_CODE,
            client_secret=secret,
            hash_client_secret=has_secret,
        )
        policy, _is_new = ApplicationPolicy.objects.get_or_create(application=row)
        if secret and shown_in is not None:
            policy.keep_unread(secret, session_id=shown_in)
            policy.save(update_fields=["unread", "unread_in", "unread_until"])
        write_values(policy, values)
        record(
            Event(
                name=OAuthEvent.APPLICATION_ADDED,
                actor=actor,
                target=("application", str(policy.pk)),
                changes=changes_between({}, values),
            )
        )
    return Registration(policy=policy, client_id=row.client_id, secret=secret)


def refuse_problems(values: ApplicationValues) -> None:
    """Refuse values that no application may have, on its registration and on each later change (RFC 9700 section 2).

    Raises:
        InvalidRequest: with every problem.
    """
    if problems := list(problems_of(values)):
        raise InvalidRequest(*problems)


def refuse_foreign_sector(values: ApplicationValues, before: ApplicationValues | None = None) -> None:
    """Refuse a sector whose site does not name the application. It asks that site, so call it outside of a transaction.

    Raises:
        InvalidRequest: it does not.
    """
    if problems := list(problems_of_document(values, before)):
        raise InvalidRequest(*problems)


def problems_of(values: ApplicationValues) -> Iterator[FieldError]:
    """Yield what is wrong with *values*, each under its name on the wire."""
    name = values["name"]
    if not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        yield FieldError("name", "invalid", _("Enter a name of one line."), {"max": LONGEST_NAME})
    yield from _problems_of_addresses(values)
    yield from _problems_of_grants(values)
    if len(values["scopes"]) > MOST_MEMBERS or not all(map(is_scope, values["scopes"])):
        yield FieldError("scopes", "invalid", _("A scope has no spaces, quotes or backslashes."))
    yield from _problems_of_access(values)
    yield from _problems_of_choices(values)
    yield from problems_of_keys(values)
    yield from problems_of_sector(values)
    for lifetime in _LIFETIMES:
        duration: Any = values[lifetime]  # type: ignore[literal-required]  # the names are keys
        if duration is not None and duration < timedelta(seconds=1):
            yield FieldError(lifetime, "invalid", _("Enter a duration of at least one second."))


def _problems_of_addresses(values: ApplicationValues) -> Iterator[FieldError]:
    for name in (*_ADDRESSES, "allowed_origins"):
        uris: Sequence[str] = values[name]  # type: ignore[literal-required]  # as above
        why = why_no_origin if name == "allowed_origins" else why_not_allowed
        reasons = [reason for uri in uris[:MOST_MEMBERS] if (reason := why(uri))]
        if len(uris) > MOST_MEMBERS:
            reasons.append(_("These are too many addresses."))
        yield from (FieldError(name, "invalid", reason) for reason in dict.fromkeys(reasons))
    for name in _PAGES:
        # A browser opens these, or this service calls them, so they are https.
        uri: str = values[name]  # type: ignore[literal-required]  # as above
        if uri and (len(uri) > LONGEST_PAGE or not is_web(uri) or why_not_allowed(uri)):
            yield FieldError(name, "invalid", _("Enter an https address."))


def _problems_of_grants(values: ApplicationValues) -> Iterator[FieldError]:
    grants = set(values["grants"])
    if not grants or grants - set(GRANTS):
        yield FieldError("grants", "invalid", _("Unknown grant type."))
        return
    if values["is_public"] and CLIENT_CREDENTIALS in grants:
        yield FieldError("grants", "invalid", _("A public application has no secret to act for itself with."))
    if AUTHORIZATION_CODE in grants and not values["redirect_uris"]:
        yield FieldError("redirect_uris", "required", _("A login needs at least one redirect address."))
    if DEVICE_CODE in grants and (oauth.is_high or values["profile"] == HIGH):
        yield FieldError("grants", "invalid", _("The profile high has no device grant."))
    if REFRESH_TOKEN in grants and not grants & {AUTHORIZATION_CODE, DEVICE_CODE}:
        yield FieldError("grants", "invalid", _("Refresh tokens come from a login."))
    if values["is_service_account"] and CLIENT_CREDENTIALS not in grants:
        yield FieldError("service_account", "invalid", _("A service account needs the grant type client_credentials."))


def _problems_of_access(values: ApplicationValues) -> Iterator[FieldError]:
    """Yield what is wrong with what it may ask for beside scopes. A type or resource that is gone is no problem, and no use."""
    types, audiences = values["authorization_details_types"], values["exchange_audiences"]
    if len(types) > MOST_MEMBERS or not all(map(is_type, types)):
        yield FieldError("authorization_details_types", "invalid", _("A type has letters, digits and punctuation."))
    if len(audiences) > MOST_MEMBERS or any(map(why_no_audience, audiences)):
        text = _("Enter URIs of resources. This service itself is none.")
        yield FieldError("exchange_audiences", "invalid", text)
    may_exchange = TOKEN_EXCHANGE in values["grants"]
    if may_exchange and values["is_public"]:
        yield FieldError(
            "grants", "invalid", _("A public application cannot exchange tokens, because anyone could be it.")
        )
    if may_exchange and not audiences:
        yield FieldError("exchange_audiences", "required", _("The exchange of tokens needs at least one audience."))


def _problems_of_choices(values: ApplicationValues) -> Iterator[FieldError]:
    methods = {AuthMethod.NONE.value} if values["is_public"] else set(AuthMethod.values) - {AuthMethod.NONE.value}
    if values["auth_method"] not in {"", *methods}:
        yield FieldError("auth_method", "invalid", _("This kind of application cannot authenticate in this way."))
    if values["required_assurance"] not in {"", *(level.acr for level in Assurance if level)}:
        yield FieldError("required_assurance", "invalid", _("Unknown assurance level."))
    if values["token_format"] not in set(TokenFormat):
        yield FieldError("token_format", "invalid", _("Unknown format."))
    for name in ("id_token_algorithm", "userinfo_signed_response_alg"):
        if values[name] and values[name] not in key_set().algorithms:  # type: ignore[literal-required]  # the names are keys
            yield FieldError(name, "invalid", _("This service does not sign with this algorithm."))
