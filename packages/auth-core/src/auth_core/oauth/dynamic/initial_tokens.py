"""Initial access tokens: how administrators issue and end them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core.crypto.secrets import digest, new_secret
from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.oauth.clients.authorization_details import is_type
from auth_core.oauth.clients.registration import LONGEST_NAME, MOST_MEMBERS
from auth_core.oauth.clients.scopes import is_scope
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import InitialAccessToken
from auth_core.oauth.models.dynamic_registration import LONGEST_LIFETIME, MOST_USES
from auth_core.users import UserLike

#: What initial access tokens and registration access tokens begin with, for scanners that look for leaked secrets.
INITIAL, REGISTRATION = "eit", "egt"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new initial access token.

    Args:
        row: What is stored of it.
        token: The token. It is never shown again.
    """

    row: InitialAccessToken
    token: str = field(repr=False)


def issue_initial_token(
    *,
    name: str,
    uses: int = 1,
    lifetime: timedelta = timedelta(days=7),
    scopes: Sequence[str] = (),
    authorization_details_types: Sequence[str] = (),
    actor: UserLike | None = None,
) -> IssuedToken:
    """Issue a token with which *uses* applications can be registered.

    Args:
        name: Whom it is given to.
        lifetime: At most a year.
        scopes: What its applications may have besides the open scopes.
        authorization_details_types: Types of authorization details that they may ask for.
        actor: The administrator. ``None``: the site.

    Raises:
        InvalidRequest: a value is not allowed.
    """
    lists = {
        "scopes": list(dict.fromkeys(scopes)),
        "authorization_details_types": list(dict.fromkeys(authorization_details_types)),
    }
    if problems := list(problems_of_initial_token(name=name, uses=uses, lifetime=lifetime, **lists)):
        raise InvalidRequest(*problems)
    token = new_secret(INITIAL)
    with transaction.atomic():
        row = InitialAccessToken.objects.create(
            name=name,
            token_digest=digest(token),
            uses_left=uses,
            expires_at=timezone.now() + lifetime,
            **{column: " ".join(names) for column, names in lists.items()},
        )
        values = {"name": name, "uses": uses, "expires_at": row.expires_at.isoformat(), **lists}
        _record(OAuthEvent.INITIAL_TOKEN_ISSUED, row, actor, {key: {"after": new} for key, new in values.items()})
    return IssuedToken(row, token)


def problems_of_initial_token(
    *, name: str, uses: int, lifetime: timedelta, scopes: Sequence[str], authorization_details_types: Sequence[str]
) -> Iterator[FieldError]:
    """Yield what is wrong with the values of a token, each under its name."""
    if not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        yield FieldError("name", "invalid", _("Enter a name of one line."), {"max": LONGEST_NAME})
    if not 1 <= uses <= MOST_USES:
        yield FieldError("uses", "out_of_range", _("This number of uses is not allowed."), {"min": 1, "max": MOST_USES})
    if not timedelta(seconds=1) <= lifetime <= LONGEST_LIFETIME:
        params = {"min": 1, "max": int(LONGEST_LIFETIME.total_seconds())}
        yield FieldError("lifetime", "out_of_range", _("This lifetime is not allowed."), params)
    if len(scopes) > MOST_MEMBERS or not all(map(is_scope, scopes)):
        yield FieldError("scopes", "invalid", _("A scope has no spaces, quotes or backslashes."))
    types = authorization_details_types
    if len(types) > MOST_MEMBERS or not all(map(is_type, types)):
        yield FieldError("authorization_details_types", "invalid", _("A type has letters, digits and punctuation."))


def end_initial_token(*, row: InitialAccessToken, actor: UserLike | None = None) -> None:
    """Accept a token no more. The applications that were registered with it stay."""
    with transaction.atomic():
        _record(OAuthEvent.INITIAL_TOKEN_ENDED, row, actor, {"uses_left": {"before": row.uses_left}})
        row.delete()


def _record(
    name: OAuthEvent, row: InitialAccessToken, actor: UserLike | None, changes: dict[str, dict[str, object]]
) -> None:
    record(Event(name=name, actor=actor, target=("initial_token", str(row.pk)), changes=changes))
