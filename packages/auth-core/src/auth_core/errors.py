"""Refusals: every expected error, with the data that a caller needs to recover.

The only HTTP detail of a refusal is its status. `auth_core.api.problems` renders it as
RFC 9457 problem details. Titles are translated. Codes never change.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error in one field of a request.

    Args:
        field: Name of the field. Empty for the request as a whole.
        code: Closed word for programs.
        detail: Sentence for people. Never repeats the value that was sent.
        params: Values that *detail* mentions, such as a maximum.
    """

    field: str
    code: str
    detail: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class AuthError(Exception):
    """An expected error. Subclasses are registered by their code."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[Any]
    #: The rule in the database that refuses the same, such as a trigger. Its errors contain the name.
    database_rule: ClassVar[str] = ""
    registry: ClassVar[dict[str, type["AuthError"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if AuthError.registry.setdefault(cls.code, cls) is not cls:
            raise TypeError(f"The code {cls.code!r} is already used by {AuthError.registry[cls.code].__qualname__}.")

    @property
    def detail(self) -> str:
        """The sentence for people. The title by default."""
        return str(self.title)

    @property
    def errors(self) -> Sequence[FieldError]:
        """The errors of single fields."""
        return ()

    @property
    def members(self) -> Mapping[str, Any]:
        """Additional members of the problem document."""
        return {}

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the response."""
        return {}

    @classmethod
    def example(cls) -> "AuthError":
        """Return a typical instance, for the reference and the canary test."""
        return cls()


def refusal_by_database(error: BaseException) -> AuthError | None:
    """Return the `AuthError` for *error*, if a rule in the database refused a statement. ``None`` for other errors."""
    if not isinstance(error, IntegrityError):
        return None
    text = str(error)
    rules = (kind for kind in AuthError.registry.values() if kind.database_rule)
    return next((kind() for kind in rules if kind.database_rule in text), None)


def challenge(scheme: str, **parameters: str | int | None) -> str:
    """Return a value of ``WWW-Authenticate`` (RFC 9110 section 11.6.1). Parameters without a value are left out.

    Args:
        parameters: Text, which is quoted, and numbers, which are not.
    """
    stated = {name: value for name, value in parameters.items() if value not in ("", None)}
    written = (f"{name}={value if isinstance(value, int) else _quoted(value)}" for name, value in stated.items())
    return " ".join(filter(None, (scheme, ", ".join(written))))


class InvalidRequest(AuthError):
    """The request is well-formed, but a field is invalid."""

    code, status, title = "invalid_request", HTTPStatus.BAD_REQUEST, _("The request is not valid.")

    def __init__(self, *errors: FieldError) -> None:
        super().__init__()
        self._errors = errors

    @property
    def errors(self) -> Sequence[FieldError]:
        """The errors of single fields."""
        return self._errors

    @classmethod
    def example(cls) -> "InvalidRequest":
        """Return a refusal of one unknown field."""
        return cls(FieldError("surprise", "unknown_field", str(_("Unknown field."))))


class MalformedBody(AuthError):
    """The body cannot be parsed."""

    code, status, title = "malformed_body", HTTPStatus.BAD_REQUEST, _("The body is not a JSON object.")


class LinkInvalid(AuthError):
    """A link is wrong, used or expired. The response does not say which."""

    code, status, title = "link_invalid", HTTPStatus.BAD_REQUEST, _("This link is no longer valid.")


class SignupClosed(AuthError):
    """This address may not sign up. The answer depends on the address typed, not on existing accounts."""

    code, status, title = "signup_closed", HTTPStatus.FORBIDDEN, _("This email address cannot be used to sign up.")


class PasswordRequired(AuthError):
    """The link was opened in another browser than the one that signed up, so the password is required."""

    code, status, title = (
        "password_required",
        HTTPStatus.FORBIDDEN,
        _("Enter the password you chose when you signed up."),
    )


class AmbiguousCredentials(AuthError):
    """The request carries two credentials. The service does not guess which one is meant."""

    code, status, title = "ambiguous_credentials", HTTPStatus.BAD_REQUEST, _("Send one credential, not two.")


class NotAuthenticated(AuthError):
    """The request has no credential, or an invalid one."""

    code, status, title = "not_authenticated", HTTPStatus.UNAUTHORIZED, _("You are not signed in.")

    def __init__(self, *, challenge: str = "", nonce: str = "") -> None:
        super().__init__()
        #: The challenge of the scheme that the caller used. Empty: that of sessions.
        self.challenge = challenge
        #: What the next DPoP proof of the caller needs (RFC 9449 section 9). Empty: nothing.
        self.nonce = nonce

    @property
    def headers(self) -> Mapping[str, str]:
        """``WWW-Authenticate``, if the caller used another scheme than that of sessions, and the nonce."""
        named = {"WWW-Authenticate": self.challenge, "DPoP-Nonce": self.nonce}
        return {name: value for name, value in named.items() if value}


class InvalidCredentials(AuthError):
    """The login failed. Unknown, wrong, disabled and locked look the same (ASVS 6.3.8)."""

    code, status, title = (
        "invalid_credentials",
        HTTPStatus.UNAUTHORIZED,
        _("Incorrect identifier or password."),
    )


class ChallengeFailed(AuthError):
    """An answer does not meet the challenge."""

    code, status, title = "challenge_failed", HTTPStatus.UNAUTHORIZED, _("Incorrect answer.")

    def __init__(self, *, attempts_left: int = 0) -> None:
        super().__init__()
        self.attempts_left = attempts_left

    @property
    def members(self) -> Mapping[str, Any]:
        """The number of answers that this login still accepts."""
        return {"attempts_left": self.attempts_left}


class LoginExpired(AuthError):
    """The pending login is expired, closed, or not this caller's."""

    code, status, title = "login_expired", HTTPStatus.UNAUTHORIZED, _("This login has expired. Start again.")


class InsufficientUserAuthentication(AuthError):
    """The session has not proved enough, or not recently enough.

    Source: RFC 9470 section 3.
    """

    code, status, title = (
        "insufficient_user_authentication",
        HTTPStatus.UNAUTHORIZED,
        _("Confirm it's you."),
    )

    def __init__(
        self, *, required_assurance: str, max_age: timedelta | None = None, context_changed: bool = False
    ) -> None:
        super().__init__()
        self.required_assurance = required_assurance
        self.max_age = max_age
        self.context_changed = context_changed

    @property
    def members(self) -> Mapping[str, Any]:
        """The parameters for ``reauthenticate/``. *max_age* is in seconds."""
        seconds = None if self.max_age is None else int(self.max_age.total_seconds())
        return {"required_assurance": self.required_assurance, "max_age": seconds}

    @classmethod
    def example(cls) -> "InsufficientUserAuthentication":
        """Return a demand for a second factor within five minutes."""
        return cls(required_assurance="aal2", max_age=timedelta(minutes=5))


class PermissionRefused(AuthError, PermissionDenied):
    """The caller is signed in but lacks the permission.

    Django answers it with 403 wherever it is raised, even from a signal in the admin of another app.
    """

    code, status, title = "permission_denied", HTTPStatus.FORBIDDEN, _("You do not have permission to do this.")


class InsufficientScope(AuthError):
    """The access token does not open this route.

    Source: RFC 6750 section 3.1.

    Args:
        scope: What would open it. Empty: no token does.
    """

    code, status, title = "insufficient_scope", HTTPStatus.FORBIDDEN, _("This access token does not allow this.")

    def __init__(self, *, scope: str = "") -> None:
        super().__init__()
        self.scope = scope

    @property
    def headers(self) -> Mapping[str, str]:
        """The challenge, with the scope that is missing."""
        return {"WWW-Authenticate": challenge("Bearer", error=self.code, scope=self.scope)}


class CsrfFailed(AuthError):
    """A request with cookies lacks the CSRF token or comes from another origin."""

    code, status, title = "csrf_failed", HTTPStatus.FORBIDDEN, _("The CSRF token is missing or wrong.")

    def __init__(self, *, is_foreign: bool = False) -> None:
        super().__init__()
        #: The request came from the page of another site. Not part of the response.
        self.is_foreign = is_foreign


class MoreProofRequired(AuthError):
    """The login requires more than the person's enrolled factors can prove."""

    code, status, title = "more_proof_required", HTTPStatus.FORBIDDEN, _("This login requires additional verification.")

    def __init__(self, *, enrol: bool = False) -> None:
        super().__init__()
        self.enrol = enrol

    @property
    def members(self) -> Mapping[str, Any]:
        """Whether the person can continue by enrolling a factor."""
        return {"enrol": self.enrol}


class LoginDenied(AuthError):
    """A policy denies this login, regardless of the evidence."""

    code, status, title = "login_denied", HTTPStatus.FORBIDDEN, _("This login is not allowed.")


class NotFound(AuthError):
    """The object does not exist or is not the caller's. Both look the same."""

    code, status, title = "not_found", HTTPStatus.NOT_FOUND, _("Not found.")


class MethodNotAllowed(AuthError):
    """The address exists, but does not support the method."""

    code, status, title = "method_not_allowed", HTTPStatus.METHOD_NOT_ALLOWED, _("Method not allowed.")

    def __init__(self, *, allowed: Sequence[str] = ()) -> None:
        super().__init__()
        self.allowed = tuple(allowed)

    @property
    def headers(self) -> Mapping[str, str]:
        """The ``Allow`` header required by RFC 9110 section 15.5.6."""
        return {"Allow": ", ".join(self.allowed)} if self.allowed else {}


class NotAcceptable(AuthError):
    """The caller accepts no media type that the service can send."""

    code, status, title = "not_acceptable", HTTPStatus.NOT_ACCEPTABLE, _("Only JSON is available.")


class Conflict(AuthError):
    """The object has changed in the meantime or exists already."""

    code, status, title = "conflict", HTTPStatus.CONFLICT, _("The request conflicts with the current state.")


class PayloadTooLarge(AuthError):
    """The body is larger than the limit."""

    code, status, title = "payload_too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("The body is too large.")


class UnsupportedMediaType(AuthError):
    """The media type of the body is not supported."""

    code, status, title = (
        "unsupported_media_type",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        _("Send the body as application/json."),
    )


class TooManyAttempts(AuthError):
    """A budget is used up. This depends only on the typed values and the network."""

    code, status, title = "too_many_attempts", HTTPStatus.TOO_MANY_REQUESTS, _("Too many attempts. Try again later.")

    def __init__(self, *, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after

    @property
    def headers(self) -> Mapping[str, str]:
        """``Retry-After`` in whole seconds, at least one."""
        return {"Retry-After": _seconds(self.retry_after)}

    @classmethod
    def example(cls) -> "TooManyAttempts":
        """Return a refusal for one minute."""
        return cls(retry_after=timedelta(minutes=1))


class InternalError(AuthError):
    """An unexpected error. The log holds the details, which the caller does not get (ASVS 16.5.1)."""

    code, status, title = "internal_error", HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong on our side.")


class Unavailable(AuthError):
    """A required dependency does not respond. Nothing was changed."""

    code, status, title = "unavailable", HTTPStatus.SERVICE_UNAVAILABLE, _("Not available right now. Try again later.")

    def __init__(self, *, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__()
        self.retry_after = retry_after

    @property
    def headers(self) -> Mapping[str, str]:
        """``Retry-After`` in whole seconds, at least one."""
        return {"Retry-After": _seconds(self.retry_after)}


def _quoted(text: object) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _seconds(duration: timedelta) -> str:
    return str(max(1, int(-(-duration.total_seconds() // 1))))
