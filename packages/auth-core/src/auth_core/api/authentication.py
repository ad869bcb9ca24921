"""Authentication of browsers. Packages that open other sessions bring their own authenticators."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from auth_core.api.problems import SCHEME
from auth_core.assurance.evidence import session_of, set_session
from auth_core.people.admission import NotAdmitted, admit


class CookieAuthentication(BaseAuthentication):
    """Authentication by the cookie of Django's session. It must be the last in the list.

    It does not check CSRF. `ApiView` requires the token on every unsafe request that
    no header authenticated, including anonymous ones.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the user of the session cookie, or ``None`` if they are not admitted any more."""
        user = getattr(request._request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        session = session_of(request)
        try:
            admit(user, session=session)
        except NotAdmitted:
            return None
        if session is not None:
            set_session(request, session)
        return user, None

    def authenticate_header(self, request: Request) -> str:
        """Make an anonymous request a 401, not a 403."""
        return SCHEME
