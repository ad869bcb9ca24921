"""How an application is registered. Every way to do it calls this function."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from oauth2_provider.models import get_application_model

from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.oauth.clients.key_policy import problems_of_keys
from auth_core.oauth.clients.redirect_uris import is_web, why_not_allowed
from auth_core.oauth.clients.registry import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, REFRESH_TOKEN
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.hashers import new_client_secret
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.models.application_policy import AuthMethod
from auth_core.users import UserLike

#: The grant types that an application may have. The first two are those of an application without a choice.
GRANTS = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS)
_USUAL = (AUTHORIZATION_CODE, REFRESH_TOKEN)

_LONGEST_NAME = 255


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
    redirect_uris: Sequence[str] = (),
    post_logout_redirect_uris: Sequence[str] = (),
    backchannel_logout_uri: str = "",
    grants: Sequence[str] = (),
    scopes: Sequence[str] = (),
    is_public: bool = False,
    is_first_party: bool = False,
    auth_method: str = "",
    jwks: str = "",
    jwks_uri: str = "",
    profile: str = "",
    require_par: bool = False,
    require_dpop: bool = False,
    actor: UserLike | None = None,
) -> Registration:
    """Register an application, with its policy.

    Args:
        name: What people read before they consent.
        grants: Names of grant types. None: those of a login.
        scopes: Scopes that it may ask for besides those of OpenID Connect.
        is_public: Whether it cannot keep a secret: a program on a device, or in a browser.
        is_first_party: Whether it belongs to the operator. People are not asked to consent.
        auth_method: How it authenticates. Empty: by its secret, in either way.
        jwks: The public keys that verify its assertions, as JSON.
        jwks_uri: Where its public keys are fetched from.
        profile: ``high``, or empty: that of the site.
        require_par: Whether it must push its authorization requests.
        require_dpop: Whether its tokens are bound to a key.
        actor: The administrator who registers it.

    Raises:
        InvalidRequest: a name, an address, a grant type or a key is not allowed.
    """
    grants = tuple(dict.fromkeys(grants)) or _USUAL
    problems = [
        *_problems_of_name(name),
        *_problems_of_uris("redirect_uris", redirect_uris),
        *_problems_of_uris("post_logout_redirect_uris", post_logout_redirect_uris),
        *_problems_of_channel(backchannel_logout_uri),
        *_problems_of_grants(grants, redirect_uris, is_public=is_public),
        *problems_of_keys(is_public=is_public, auth_method=auth_method, jwks=jwks, jwks_uri=jwks_uri, profile=profile),
    ]
    if problems:
        raise InvalidRequest(*problems)
    has_secret = not is_public and auth_method != AuthMethod.PRIVATE_KEY
    secret = new_client_secret() if has_secret else ""
    model = get_application_model()
    acts_for_itself = AUTHORIZATION_CODE not in grants
    with transaction.atomic():
        row: Any = model.objects.create(
            name=name,
            redirect_uris=" ".join(redirect_uris),
            post_logout_redirect_uris=" ".join(post_logout_redirect_uris),
            client_type=model.CLIENT_PUBLIC if is_public else model.CLIENT_CONFIDENTIAL,
            authorization_grant_type=model.GRANT_CLIENT_CREDENTIALS
            if acts_for_itself
            else model.GRANT_AUTHORIZATION_CODE,
            client_secret=secret,
            hash_client_secret=has_secret,
        )
        policy, _is_new = ApplicationPolicy.objects.update_or_create(
            application=row,
            defaults={
                "grant_types": " ".join(grants),
                "scopes": " ".join(scopes),
                "is_first_party": is_first_party,
                "backchannel_logout_uri": backchannel_logout_uri,
                "auth_method": auth_method,
                "jwks": jwks,
                "jwks_uri": jwks_uri,
                "profile": profile,
                "require_par": require_par,
                "require_dpop": require_dpop,
            },
        )
        record(Event(name=OAuthEvent.APPLICATION_ADDED, actor=actor, target=("application", str(policy.pk))))
    return Registration(policy=policy, client_id=row.client_id, secret=secret)


def _problems_of_name(name: str) -> list[FieldError]:
    if name.strip() and name.isprintable() and len(name) <= _LONGEST_NAME:
        return []
    return [FieldError("name", "invalid", _("Enter a name of one line."), {"max": _LONGEST_NAME})]


def _problems_of_uris(name: str, uris: Sequence[str]) -> list[FieldError]:
    reasons = [reason for uri in uris if (reason := why_not_allowed(uri))]
    return [FieldError(name, "invalid", reason) for reason in dict.fromkeys(reasons)]


def _problems_of_channel(uri: str) -> list[FieldError]:
    """Return what is wrong with the address of the back channel. This service calls it, so it is https."""
    if not uri or (is_web(uri) and not why_not_allowed(uri)):
        return []
    return [FieldError("backchannel_logout_uri", "invalid", _("Enter an https address."))]


def _problems_of_grants(grants: Sequence[str], redirect_uris: Sequence[str], *, is_public: bool) -> list[FieldError]:
    if set(grants) - set(GRANTS):
        return [FieldError("grants", "invalid", _("Unknown grant type."))]
    if is_public and CLIENT_CREDENTIALS in grants:
        return [FieldError("grants", "invalid", _("A public application has no secret to act for itself with."))]
    if AUTHORIZATION_CODE in grants and not redirect_uris:
        return [FieldError("redirect_uris", "required", _("A login needs at least one redirect address."))]
    if REFRESH_TOKEN in grants and AUTHORIZATION_CODE not in grants:
        return [FieldError("grants", "invalid", _("Refresh tokens come from a login."))]
    return []
