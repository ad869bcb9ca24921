"""How an application registers itself, and how it reads, changes and removes its registration.

The rules are those of every other way to register an application, see `clients.registration`. Such an application belongs to nobody
here: it is asked for consent, holds no role, and has no scope that its initial access token did not allow.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import check_password
from django.db import transaction
from oauth2_provider.models import get_application_model

from auth_core import limits
from auth_core.crypto.secrets import digest, new_secret, spend
from auth_core.errors import InvalidRequest, NotFound, TooManyAttempts
from auth_core.events import Event, record
from auth_core.oauth.applications.changes import change_application, remove_application
from auth_core.oauth.applications.client_secrets import replace_secret
from auth_core.oauth.clients.application_values import ApplicationValues, default_values, merged, values_of
from auth_core.oauth.clients.registration import create_application, problems_of
from auth_core.oauth.clients.sectors import is_site_asked, problems_of_document
from auth_core.oauth.dynamic.initial_tokens import REGISTRATION
from auth_core.oauth.dynamic.metadata import ClientMetadata, metadata_of, read_metadata, refuse
from auth_core.oauth.errors import InvalidClientMetadata, InvalidToken, TooManyRequests
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, DynamicRegistration, InitialAccessToken
from auth_core.request.client import Client

#: Members that an update must not have, because only this service knows them (RFC 7592 section 2.2).
_OF_ANSWERS = frozenset(
    {"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A registration as the client reads it.

    Args:
        registration: Its row.
        token: The registration access token.
        secret: A new secret. Empty: the client has one already, or none.
    """

    registration: DynamicRegistration
    token: str = field(repr=False)
    secret: str = field(default="", repr=False)

    def members(self, *, address: str) -> dict[str, Any]:
        """Return the answer (RFC 7591 section 3.2.1, RFC 7592 section 3).

        Args:
            address: Of the registration.
        """
        row: Any = self.registration.policy.application
        secret = {"client_secret": self.secret, "client_secret_expires_at": 0} if self.secret else {}
        values = values_of(self.registration.policy)
        return {
            "client_id": row.client_id,
            "client_id_issued_at": int(self.registration.created_at.timestamp()),
            **secret,
            "registration_access_token": self.token,
            "registration_client_uri": address,
            **metadata_of(values),
        }


def find_initial_token(text: str) -> InitialAccessToken | None:
    """Return the initial access token *text* if an application may be registered with it now. Nothing is spent."""
    return InitialAccessToken.usable(digest(text)).first()


def find_registration(client_id: str, text: str) -> DynamicRegistration | None:
    """Return the registration of an active application that the registration access token *text* manages."""
    rows = DynamicRegistration.objects.select_related("policy__application")
    found = rows.filter(token_digest=digest(text), policy__is_active=True).first()
    row: Any = None if found is None else found.policy.application
    return found if row is not None and row.client_id == client_id else None


def register(members: Mapping[str, Any], *, initial_token: InitialAccessToken, client: Client) -> Registered:
    """Register an application. What is refused spends no use of the token.

    Raises:
        InvalidToken: its last use was spent meanwhile.
        InvalidClientMetadata, InvalidRedirectUri: *members* break a rule.
        InvalidSoftwareStatement, UnapprovedSoftwareStatement: there is a software statement.
        TooManyRequests: this network sent too many wrong addresses of sectors.
    """
    wanted = _wanted(members, initial_token)
    _check(wanted, client)
    token = new_secret(REGISTRATION)
    with transaction.atomic():
        if not InitialAccessToken.spend_use(initial_token.token_digest):
            raise InvalidToken
        made = create_application(is_public=wanted.is_public, asks_sector=False, **wanted.settings)
        row: Any = made.policy.application
        row.registration_source = get_application_model().RegistrationSource.DCR
        row.save(update_fields=["registration_source"])
        registration = DynamicRegistration.objects.create(
            policy=made.policy,
            token_digest=digest(token),
            scopes=initial_token.scopes,
            authorization_details_types=initial_token.authorization_details_types,
        )
        _record(OAuthEvent.REGISTRATION_ADDED, made.policy, client, {"initial_token": str(initial_token.pk)})
    return Registered(registration=registration, token=token, secret=made.secret)


def change(registration: DynamicRegistration, members: Mapping[str, Any], *, client: Client) -> Registered:
    """Replace the metadata of a registration, and its token. What is left out has its default afterwards.

    Raises:
        InvalidToken: another update replaced the token first, or the application is gone.
        InvalidClientMetadata, InvalidRedirectUri, InvalidSoftwareStatement, UnapprovedSoftwareStatement: as in `register`.
        TooManyRequests: as in `register`.
    """
    policy = registration.policy
    _check_ids(members, policy)
    own = {name: value for name, value in members.items() if name not in ("client_id", "client_secret")}
    wanted, before = _wanted(own, registration), values_of(policy)
    if wanted.is_public != before["is_public"]:
        raise InvalidClientMetadata("token_endpoint_auth_method: a client stays public or confidential.")
    _check(wanted, client, before)
    token = new_secret(REGISTRATION)
    unspent = DynamicRegistration.objects.filter(pk=registration.pk, token_digest=registration.token_digest)
    with transaction.atomic():
        if not spend(unspent, token_digest=digest(token)):
            raise InvalidToken
        try:
            change_application(policy=policy, asks_sector=False, **wanted.settings)
        except NotFound as gone:
            raise InvalidToken from gone
        except InvalidRequest as problem:
            # People use it, and it would see other ids of them.
            refuse(problem.errors)
        row: Any = policy.application
        row.refresh_from_db()
        secret = replace_secret(policy=policy) if policy.uses_secret and not row.client_secret else ""
        _record(OAuthEvent.REGISTRATION_CHANGED, policy, client, {})
    found = DynamicRegistration.objects.select_related("policy__application").get(pk=registration.pk)
    return Registered(registration=found, token=token, secret=secret)


def remove(registration: DynamicRegistration) -> None:
    """Remove an application, with everything that people gave to it. A second request finds nothing, which is the same."""
    with suppress(NotFound):
        remove_application(policy=registration.policy)


def _wanted(members: Mapping[str, Any], allowed: InitialAccessToken | DynamicRegistration) -> ClientMetadata:
    """Return what *members* ask for, within what an administrator allowed.

    Raises:
        InvalidClientMetadata, InvalidSoftwareStatement, UnapprovedSoftwareStatement: see `register`.
    """
    types = allowed.authorization_details_types.split()
    return read_metadata(members, allowed_scopes=allowed.scopes.split(), allowed_types=types)


def _check(wanted: ClientMetadata, client: Client, before: ApplicationValues | None = None) -> None:
    """Refuse what breaks a rule before anything is fetched, and then a sector whose site does not list the addresses.

    A wrong sector costs its network a guess, because each is a request to an address that a client chose.

    Args:
        before: The values of the application before an update.

    Raises:
        InvalidClientMetadata, InvalidRedirectUri, TooManyRequests: see `register`.
    """
    base = default_values(name=wanted.settings["name"], is_public=wanted.is_public)
    values = merged(base, wanted.settings)
    if problems := list(problems_of(values)):
        refuse(problems)
    if not is_site_asked(values, before):
        return
    try:
        guess = limits.charge("client", client=client)
    except TooManyAttempts as refusal:
        raise TooManyRequests(max(1, int(refusal.retry_after.total_seconds()))) from refusal
    if problems := list(problems_of_document(values, before)):
        refuse(problems)
    guess.refund()


def _check_ids(members: Mapping[str, Any], policy: ApplicationPolicy) -> None:
    """Check that an update names this client, and no other secret than its own.

    Raises:
        InvalidClientMetadata: it does not.
    """
    row: Any = policy.application
    if members.get("client_id") != row.client_id:
        raise InvalidClientMetadata("client_id is not that of this registration.")
    if _OF_ANSWERS & members.keys():
        raise InvalidClientMetadata("The update has a member that only this service sets.")
    secret = members.get("client_secret")
    if secret is not None and not (
        isinstance(secret, str) and row.client_secret and check_password(secret, row.client_secret)
    ):
        raise InvalidClientMetadata("client_secret is not that of this client.")


def _record(name: OAuthEvent, policy: ApplicationPolicy, client: Client, data: dict[str, Any]) -> None:
    record(Event(name=name, application=policy.pk, target=("application", str(policy.pk)), client=client, data=data))
