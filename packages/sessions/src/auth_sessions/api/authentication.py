"""Authentication of callers without a browser."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from auth_core.assurance.evidence import set_session
from auth_core.contracts import Transport
from auth_core.errors import AmbiguousCredentials, NotAuthenticated
from auth_core.observability import denials
from auth_sessions.revocation.session_lookup import is_credential, look_up_session

SCHEME = "Session"


class SessionTokenAuthentication(BaseAuthentication):
    """Accepts ``Authorization: Session eas_…``. It must precede the cookie authenticator."""

    #: Tells `ApiView` that the caller is not identified by a cookie, so that no CSRF check is needed.
    reads_header = True

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the user of the credential, or ``None`` without such a header.

        Raises:
            NotAuthenticated: the credential is wrong, ended or of a cookie session. The cookie is not tried instead.
            AmbiguousCredentials: the credential is valid, but the request also has a session cookie.
        """
        scheme, _space, credential = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        session = look_up_session(credential, transport=Transport.TOKEN)
        if session is None or session.user is None:
            raise NotAuthenticated
        cookie = getattr(getattr(request._request, "session", None), "session_key", None)
        if is_credential(cookie or ""):
            denials.mark_denied(AmbiguousCredentials.code, subject=session.user, session=session.pk)
            raise AmbiguousCredentials
        session.user.backend = session.backend
        set_session(request, session.facts)
        return session.user, None

    def authenticate_header(self, request: Request) -> str:
        """Make an anonymous request a 401 and not a 403."""
        return SCHEME
