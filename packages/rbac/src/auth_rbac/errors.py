"""The errors of this package."""

from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from auth_core.errors import AuthError


class LastAdministrator(AuthError, PermissionDenied):
    """The site would have no administrator.

    The API answers it with 409, an admin site with a message. Other views of a site do not know it, and Django answers
    with 403 there. A statement that sends no signal, such as ``.update()``, fails with the ``IntegrityError`` of a trigger,
    which the API and admin sites answer in the same way.
    """

    code, status, title = "last_administrator", HTTPStatus.CONFLICT, _("This site needs at least one administrator.")
    database_rule = "auth_rbac_last_administrator"
