"""Refusals."""

from http import HTTPStatus

from django.utils.translation import gettext_lazy as _

from auth_core.errors import AuthError


class LastAdministrator(AuthError):
    """Nobody could administer the site any more."""

    code, status, title = "last_administrator", HTTPStatus.CONFLICT, _("Somebody must be able to administer this site.")
