"""Refusals: every expected error, with what a caller needs to recover.

A refusal knows nothing of HTTP but its status; `auth_core.api.problems` renders it
as RFC 9457 problem details. Titles are translated, codes never change.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request.

    Args:
        field: Name of the field; empty when the request as a whole is meant.
        code: Closed word for programs.
        detail: Sentence for people; never repeats what was sent.
        params: Values that *detail* speaks of, such as a maximum.
    """

    field: str
    code: str
    detail: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class AuthError(Exception):
    """An expected error; subclasses are registered by their code."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[Any]
    registry: ClassVar[dict[str, type["AuthError"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if AuthError.registry.setdefault(cls.code, cls) is not cls:
            raise TypeError(f"The code {cls.code!r} belongs to {AuthError.registry[cls.code].__qualname__} already.")

    @property
    def detail(self) -> str:
        """The sentence for people; the title unless a subclass knows more."""
        return str(self.title)

    @property
    def errors(self) -> Sequence[FieldError]:
        """What is wrong field by field."""
        return ()

    @property
    def members(self) -> Mapping[str, Any]:
        """Further members of the problem document."""
        return {}

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that go with the answer."""
        return {}

    @classmethod
    def example(cls) -> "AuthError":
        """Return an instance such as callers meet; for the reference and the canary test."""
        return cls()


class InvalidRequest(AuthError):
    """The request is well-formed, but a field is not what it must be."""

    code, status, title = "invalid_request", HTTPStatus.BAD_REQUEST, _("The request is not valid.")

    def __init__(self, *errors: FieldError) -> None:
        super().__init__()
        self._errors = errors

    @property
    def errors(self) -> Sequence[FieldError]:
        """What is wrong field by field."""
        return self._errors

    @classmethod
    def example(cls) -> "InvalidRequest":
        """Return a refusal of one unknown field."""
        return cls(FieldError("surprise", "unknown_field", str(_("This field is not known."))))


class MalformedBody(AuthError):
    """The body cannot be read at all."""

    code, status, title = "malformed_body", HTTPStatus.BAD_REQUEST, _("The body is not a JSON object.")


class LinkInvalid(AuthError):
    """A link is wrong, used or expired; which of them is nobody's business."""

    code, status, title = "link_invalid", HTTPStatus.BAD_REQUEST, _("The link is not valid any more.")


class SignupClosed(AuthError):
    """This address may not sign up here; it depends on what was typed, not on who has an account."""

    code, status, title = "signup_closed", HTTPStatus.FORBIDDEN, _("Nobody can sign up here with this address.")


class PasswordRequired(AuthError):
    """The link was opened in another browser than the one that signed up: whoever chose the password knows it."""

    code, status, title = (
        "password_required",
        HTTPStatus.FORBIDDEN,
        _("Enter the password that you chose when you signed up."),
    )


class AmbiguousCredentials(AuthError):
    """The request carries two credentials, and nobody may guess which one is meant."""

    code, status, title = "ambiguous_credentials", HTTPStatus.BAD_REQUEST, _("Send one credential, not two.")


class NotAuthenticated(AuthError):
    """Nobody is signed in, or the credential is not good."""

    code, status, title = "not_authenticated", HTTPStatus.UNAUTHORIZED, _("You are not signed in.")


class InvalidCredentials(AuthError):
    """Unknown, wrong, disabled and locked look the same (ASVS 6.3.8)."""

    code, status, title = (
        "invalid_credentials",
        HTTPStatus.UNAUTHORIZED,
        _("The identifier or the password is not right."),
    )


class ChallengeFailed(AuthError):
    """An answer does not meet the challenge."""

    code, status, title = "challenge_failed", HTTPStatus.UNAUTHORIZED, _("The answer is not right.")

    def __init__(self, *, attempts_left: int = 0) -> None:
        super().__init__()
        self.attempts_left = attempts_left

    @property
    def members(self) -> Mapping[str, Any]:
        """How often this login may still be answered."""
        return {"attempts_left": self.attempts_left}


class LoginExpired(AuthError):
    """The pending login is over, spent, or not this caller's."""

    code, status, title = "login_expired", HTTPStatus.UNAUTHORIZED, _("This login has expired. Begin again.")


class InsufficientUserAuthentication(AuthError):
    """The session has not proved enough, or not lately enough.

    Source: RFC 9470 section 3.
    """

    code, status, title = (
        "insufficient_user_authentication",
        HTTPStatus.UNAUTHORIZED,
        _("Prove again that it is you."),
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
        """What to ask of ``reauthenticate/``; *max_age* in seconds."""
        seconds = None if self.max_age is None else int(self.max_age.total_seconds())
        return {"required_assurance": self.required_assurance, "max_age": seconds}

    @classmethod
    def example(cls) -> "InsufficientUserAuthentication":
        """Return a demand for a second factor within five minutes."""
        return cls(required_assurance="aal2", max_age=timedelta(minutes=5))


class PermissionRefused(AuthError, PermissionDenied):
    """The caller is known and may not do this.

    Django answers it with 403 wherever it is raised, also from a signal in another app's admin.
    """

    code, status, title = "permission_denied", HTTPStatus.FORBIDDEN, _("You may not do this.")


class CsrfFailed(AuthError):
    """A request that comes with cookies lacks the CSRF token or comes from elsewhere."""

    code, status, title = "csrf_failed", HTTPStatus.FORBIDDEN, _("The CSRF token is missing or wrong.")

    def __init__(self, *, is_foreign: bool = False) -> None:
        super().__init__()
        #: Another site's page had the browser send it; not told to the caller.
        self.is_foreign = is_foreign


class MoreProofRequired(AuthError):
    """The login needs more than this person can prove with what they have enrolled."""

    code, status, title = "more_proof_required", HTTPStatus.FORBIDDEN, _("This login needs a further proof.")

    def __init__(self, *, enrol: bool = False) -> None:
        super().__init__()
        self.enrol = enrol

    @property
    def members(self) -> Mapping[str, Any]:
        """Whether enrolling a factor is the way out."""
        return {"enrol": self.enrol}


class LoginDenied(AuthError):
    """Policy refuses this login, whatever is proved."""

    code, status, title = "login_denied", HTTPStatus.FORBIDDEN, _("This login is not allowed.")


class NotFound(AuthError):
    """There is no such thing, or it is not yours; the two look the same."""

    code, status, title = "not_found", HTTPStatus.NOT_FOUND, _("There is nothing here.")


class MethodNotAllowed(AuthError):
    """The address exists, the method does not."""

    code, status, title = "method_not_allowed", HTTPStatus.METHOD_NOT_ALLOWED, _("This method is not allowed here.")

    def __init__(self, *, allowed: Sequence[str] = ()) -> None:
        super().__init__()
        self.allowed = tuple(allowed)

    @property
    def headers(self) -> Mapping[str, str]:
        """``Allow``, as RFC 9110 section 15.5.6 demands."""
        return {"Allow": ", ".join(self.allowed)} if self.allowed else {}


class NotAcceptable(AuthError):
    """The caller accepts nothing that we can send."""

    code, status, title = "not_acceptable", HTTPStatus.NOT_ACCEPTABLE, _("Only JSON can be sent.")


class Conflict(AuthError):
    """The thing has changed meanwhile, or exists already."""

    code, status, title = "conflict", HTTPStatus.CONFLICT, _("This conflicts with what is there.")


class PayloadTooLarge(AuthError):
    """The body is larger than this service reads."""

    code, status, title = "payload_too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("The body is too large.")


class UnsupportedMediaType(AuthError):
    """The body is of a kind that is not read here."""

    code, status, title = (
        "unsupported_media_type",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        _("Send the body as application/json."),
    )


class TooManyAttempts(AuthError):
    """A budget is used up; it depends only on what was typed and on the network."""

    code, status, title = "too_many_attempts", HTTPStatus.TOO_MANY_REQUESTS, _("Too many attempts. Wait a while.")

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
    """Something broke on our side; the log knows more, the caller does not (ASVS 16.5.1)."""

    code, status, title = "internal_error", HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong on our side.")


class Unavailable(AuthError):
    """A part that is needed does not answer; nothing was changed."""

    code, status, title = "unavailable", HTTPStatus.SERVICE_UNAVAILABLE, _("Not available right now. Try again.")

    def __init__(self, *, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__()
        self.retry_after = retry_after

    @property
    def headers(self) -> Mapping[str, str]:
        """``Retry-After`` in whole seconds, at least one."""
        return {"Retry-After": _seconds(self.retry_after)}


def _seconds(duration: timedelta) -> str:
    return str(max(1, int(-(-duration.total_seconds() // 1))))
