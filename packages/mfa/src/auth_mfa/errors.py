"""The errors of this package."""

from http import HTTPStatus

from django.utils.translation import gettext_lazy as _

from auth_core.errors import AuthError


class LastFactor(AuthError):
    """The factor is the last one of a user who must have one, or their only way to sign in."""

    code, status, title = (
        "last_factor",
        HTTPStatus.CONFLICT,
        _("You need this second factor. Add another one before you remove it."),
    )


class FactorNeeded(AuthError):
    """The user has no second factor that recovery codes could replace."""

    code, status, title = (
        "factor_needed",
        HTTPStatus.CONFLICT,
        _("Add a second factor before you create recovery codes."),
    )


class NumberRefused(AuthError):
    """No text is sent to this number because of its kind, its country or its prefix."""

    code, status, title = (
        "number_refused",
        HTTPStatus.BAD_REQUEST,
        _("We cannot send text messages to this number. Use another number or another second factor."),
    )


class AddressUnproven(AuthError):
    """The account has an email address that is not verified yet."""

    code, status, title = (
        "address_unproven",
        HTTPStatus.CONFLICT,
        _("Verify your email address before you add a second factor. You can resend the email from your account page."),
    )
