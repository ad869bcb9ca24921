"""The authenticator of callers without a browser."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from auth_core.assurance.evidence import set_session
from auth_core.contracts import Transport
from auth_core.errors import AmbiguousCredentials, NotAuthenticated
from auth_core.observability import denials
from auth_sessions.revocation.session_lookup import is_credential, restore

SCHEME = "Session"


class SessionTokenAuthentication(BaseAuthentication):
    """Takes ``Authorization: Session eas_…``; stands before the authenticator of cookies."""

    #: Tells `ApiView` that no cookie says who this is, so that CSRF is no question.
    reads_header = True

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the person behind the credential; ``None`` when there is no such header.

        Raises:
            NotAuthenticated: the credential is wrong, ended, or one of a cookie; never the cookie instead.
            AmbiguousCredentials: it is good, and a session cookie came with it.
        """
        scheme, _space, credential = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        session = restore(credential, transport=Transport.TOKEN)
        if session is None or session.user is None:
            raise NotAuthenticated
        cookie = getattr(getattr(request._request, "session", None), "session_key", None)
        if is_credential(cookie or ""):
            denials.note(AmbiguousCredentials.code, subject=session.user, session=session.pk)
            raise AmbiguousCredentials
        session.user.backend = session.backend
        set_session(request, session.facts)
        return session.user, None

    def authenticate_header(self, request: Request) -> str:
        """Make an anonymous request a 401, not a 403."""
        return SCHEME
