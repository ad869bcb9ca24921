"""The errors of this package."""

from http import HTTPStatus

from django.utils.translation import gettext_lazy as _

from auth_core.errors import AuthError


class LastAdministrator(AuthError):
    """The site would have no administrator."""

    code, status, title = "last_administrator", HTTPStatus.CONFLICT, _("This site needs at least one administrator.")
