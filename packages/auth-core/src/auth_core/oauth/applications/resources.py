"""Resources: how administrators register, change and remove what tokens are for (RFC 8707).

The owner of a resource reads its tokens, and may exchange them. So nobody gives a resource to an application that holds more than
they do, or changes one of such an application (`auth_core.authority.check_service`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack, cast
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from auth_core.authority import check_service
from auth_core.errors import Conflict, FieldError, InvalidRequest, NotFound
from auth_core.events import Event, record
from auth_core.oauth.clients.redirect_uris import why_not_allowed
from auth_core.oauth.clients.scopes import is_scope
from auth_core.oauth.conf import oauth
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Resource
from auth_core.oauth.models.application_policy import TokenFormat
from auth_core.oauth.registries import find_scope
from auth_core.users import UserLike

#: Longest URI and longest sentence, in characters, and most scopes of one resource.
LONGEST_URI, LONGEST_SENTENCE, MOST_SCOPES = 512, 300, 100

_ALGORITHMS = ("ES256", "RS256")


class ResourceSettings(TypedDict, total=False):
    """What an administrator sets. What is left out keeps its value, or has the default of the column.

    Args:
        name: What people read before they consent. Empty: the URI.
        owner: The application that may introspect its tokens. ``None``: no one.
        scopes: Scopes, each with the sentence that people read before they consent.
        token_format: ``jwt`` or ``opaque``. Empty: as the application that asks.
        signing_algorithm: ``ES256`` or ``RS256``.
        is_active: Whether tokens for it are issued.
    """

    name: str
    owner: ApplicationPolicy | None
    scopes: Mapping[str, str]
    token_format: str
    signing_algorithm: str
    is_active: bool


_PLAIN = ("name", "scopes", "token_format", "signing_algorithm", "is_active")


def find_resource(resource_id: UUID) -> Resource | None:
    """Return the resource with this id, with its owner, or ``None``."""
    return Resource.objects.select_related("application__auth_policy").filter(pk=resource_id).first()


def owner_of(resource: Resource) -> ApplicationPolicy | None:
    """Return the policy of the application that owns *resource*, or ``None``."""
    policy: ApplicationPolicy | None = getattr(resource.application, "auth_policy", None)
    return policy


def create_resource(*, uri: str, actor: UserLike | None = None, **settings: Unpack[ResourceSettings]) -> Resource:
    """Register a resource.

    Args:
        uri: Its URI, which is the ``aud`` of its tokens. It never changes.
        actor: The administrator. ``None``: the site.
        settings: See `ResourceSettings`.

    Raises:
        InvalidRequest: a value is not allowed.
        Conflict: there is one with this URI.
        PermissionRefused: its owner holds more than *actor*.
    """
    _check_owners(actor, settings.get("owner"))
    resource = Resource()
    _refuse(problems_after(resource, {"uri": uri, **settings}))
    try:
        with transaction.atomic():
            resource.save(force_insert=True)
            _record(OAuthEvent.RESOURCE_ADDED, resource, actor, _changes({}, _values(resource)))
    except IntegrityError as error:
        raise Conflict from error
    return resource


def change_resource(*, resource: Resource, actor: UserLike | None = None, **settings: Unpack[ResourceSettings]) -> bool:
    """Change what *settings* has. It counts for the next token. Return whether something differs.

    Raises:
        InvalidRequest: a value is not allowed.
        NotFound: the resource is gone.
        PermissionRefused: its owner, or the new one, holds more than *actor*.
    """
    with transaction.atomic():
        current = _locked(resource)
        _check_owners(actor, owner_of(current), settings.get("owner"))
        before = _values(current)
        problems = problems_after(current, settings)
        changes = _changes(before, _values(current))
        if changes:
            _refuse(problems)
            current.save()
            _record(OAuthEvent.RESOURCE_CHANGED, current, actor, changes)
    resource.refresh_from_db()
    return bool(changes)


def remove_resource(*, resource: Resource, actor: UserLike | None = None) -> None:
    """Remove a resource. No token for it is issued any more, and what was issued expires.

    Raises:
        NotFound: the resource is gone.
        PermissionRefused: its owner holds more than *actor*.
    """
    with transaction.atomic():
        current = _locked(resource)
        _check_owners(actor, owner_of(current))
        before = {name: {"before": value} for name, value in _values(current).items()}
        _record(OAuthEvent.RESOURCE_REMOVED, current, actor, before)
        current.delete()


def problems_after(resource: Resource, settings: Mapping[str, Any]) -> list[FieldError]:
    """Set *settings* on the instance, which is not saved, and return what is wrong with it then."""
    _write(resource, settings)
    problems = [
        *_problems_of_uri(resource.uri),
        *_problems_of_scopes(resource.scopes),
        *([] if _is_one_line(resource.name) else [FieldError("name", "invalid", _("Enter a name of one line."))]),
    ]
    if resource.token_format not in {"", *TokenFormat.values}:
        problems.append(FieldError("token_format", "invalid", _("Unknown format.")))
    if resource.signing_algorithm not in _ALGORITHMS:
        problems.append(FieldError("signing_algorithm", "invalid", _("Unknown algorithm.")))
    return problems


def _check_owners(actor: UserLike | None, *owners: ApplicationPolicy | None) -> None:
    for owner in owners:
        if owner is not None:
            check_service(actor, owner.pk)


def _locked(resource: Resource) -> Resource:
    current = Resource.objects.select_for_update().filter(pk=resource.pk).first()
    if current is None:
        raise NotFound
    return current


def _write(resource: Resource, settings: Mapping[str, Any]) -> None:
    if "uri" in settings:
        resource.uri = settings["uri"].rstrip("/")
    for name in _PLAIN:
        if name in settings:
            setattr(resource, name, dict(settings[name]) if name == "scopes" else settings[name])
    if "owner" in settings:
        owner: ApplicationPolicy | None = settings["owner"]
        resource.application = None if owner is None else cast("Any", owner.application)


def _values(resource: Resource) -> dict[str, Any]:
    """Return the values as an event has them."""
    owner = owner_of(resource)
    values: dict[str, Any] = {name.removeprefix("is_"): getattr(resource, name) for name in _PLAIN}
    return {"uri": resource.uri, "owner": None if owner is None else str(owner.pk), **values}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"before": before.get(name), "after": value} for name, value in after.items() if before.get(name) != value
    }


def _record(name: OAuthEvent, resource: Resource, actor: UserLike | None, changes: dict[str, Any]) -> None:
    record(Event(name=name, actor=actor, target=("resource", str(resource.pk)), changes=changes))


def _refuse(problems: Sequence[FieldError]) -> None:
    if problems:
        raise InvalidRequest(*problems)


def _problems_of_uri(uri: str) -> list[FieldError]:
    """Return what is wrong with the URI. It is compared as a string, so one server must not have two spellings."""
    reason = why_not_allowed(uri)
    if not reason and (len(uri) > LONGEST_URI or not uri.startswith(("https://", "http://")) or "?" in uri):
        reason = _("Enter an https address without a query.")
    host = "" if reason else uri.split("/", 3)[2]
    if not reason and host != host.lower():
        reason = _("Write the host in lower case.")
    if not reason and uri == oauth.issuer:
        reason = _("This is the address of this service itself.")
    return [FieldError("uri", "invalid", reason)] if reason else []


def _problems_of_scopes(scopes: Mapping[str, str]) -> list[FieldError]:
    if len(scopes) > MOST_SCOPES:
        return [FieldError("scopes", "invalid", _("These are too many scopes."), {"max": MOST_SCOPES})]
    if not all(map(is_scope, scopes)):
        return [FieldError("scopes", "invalid", _("A scope has no spaces, quotes or backslashes."))]
    if any(find_scope(name) is not None for name in scopes):
        # People would read the sentence of the site, and give something else.
        return [FieldError("scopes", "taken", _("This service itself has a scope of this name."))]
    if not all(sentence and _is_one_line(sentence, longest=LONGEST_SENTENCE) for sentence in scopes.values()):
        return [FieldError("scopes", "invalid", _("Each scope needs a sentence of one line."))]
    return []


def _is_one_line(text: str, *, longest: int = 255) -> bool:
    return len(text) <= longest and text == text.strip() and text.isprintable()
