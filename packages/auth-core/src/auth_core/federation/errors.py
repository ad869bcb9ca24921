"""Refusals of a sign-in at a provider, and of changes of connections."""

from http import HTTPStatus

from django.utils.translation import gettext_lazy as _

from auth_core.errors import AuthError


class ProviderUnavailable(AuthError):
    """The provider does not answer, or its answer cannot be used. It proves nothing about the person."""

    code, status, title = (
        "provider_unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The provider is not responding. Try again, or sign in another way."),
    )


class ProviderDeclined(AuthError):
    """The person said no at the provider, or the provider did not let them in."""

    code, status, title = (
        "provider_declined",
        HTTPStatus.FORBIDDEN,
        _("You did not sign in at the provider. Nothing has changed."),
    )


class AnswerRefused(AuthError):
    """The answer of the provider does not prove who the person is.

    Args:
        reason: Closed word for the trail. The caller is not told which check failed.
    """

    code, status, title = (
        "provider_answer_refused",
        HTTPStatus.FORBIDDEN,
        _("The answer of the provider could not be verified. Try again, or sign in another way."),
    )

    def __init__(self, reason: str = "answer") -> None:
        super().__init__()
        self.reason = reason


class ConnectFirst(AuthError):
    """No account is connected, and none may be found or created by the address that the provider states.

    The answer is the same whether or not an account has that address.
    """

    code, status, title = (
        "connection_required",
        HTTPStatus.FORBIDDEN,
        _("No account is connected. Sign in or create an account, then connect the provider in your account."),
    )


class ConnectionTaken(AuthError):
    """The account at the provider is connected to another account of this site."""

    code, status, title = (
        "connection_taken",
        HTTPStatus.CONFLICT,
        _("This account of the provider is connected already."),
    )


class LastWayIn(AuthError):
    """The connection is the only way to sign in."""

    code, status, title = (
        "last_way_in",
        HTTPStatus.CONFLICT,
        _("This is your only way to sign in. Set a password or add a passkey first."),
    )
