"""The refusals of this package."""

from http import HTTPStatus

from django.utils.translation import gettext_lazy as _

from auth_core.errors import AuthError


class LastFactor(AuthError):
    """The factor is the last that counts, of somebody who must have one, or the only way in."""

    code, status, title = (
        "last_factor",
        HTTPStatus.CONFLICT,
        _("You cannot do without this one. Add another one before you remove this."),
    )


class FactorNeeded(AuthError):
    """Recovery codes stand in for a factor, and there is none."""

    code, status, title = (
        "factor_needed",
        HTTPStatus.CONFLICT,
        _("Recovery codes stand in for a second factor. Add one first."),
    )


class NumberRefused(AuthError):
    """No text goes to this number: its kind, its country, or what happens at numbers like it."""

    code, status, title = (
        "number_refused",
        HTTPStatus.BAD_REQUEST,
        _("No text can be sent to this number. Use another one, or another second factor."),
    )


class AddressUnproven(AuthError):
    """The account has an address, and its owner has not proved it yet."""

    code, status, title = (
        "address_unproven",
        HTTPStatus.CONFLICT,
        _("Prove your email address before you add a second factor. Your account page sends you the mail again."),
    )
