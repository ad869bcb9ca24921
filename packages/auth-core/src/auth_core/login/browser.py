"""The cookies of a browser: its session, its device, and the secret that ties a pending login to it.

The API and the pages share these functions, so that neither can forget a part.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY, update_session_auth_hash
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token

from auth_core.assurance.evidence import FACTS_KEY, forget_session
from auth_core.conf import core
from auth_core.contracts import Grant
from auth_core.crypto.secrets import new_secret, same
from auth_core.login.django_session import new_store
from auth_core.models import PendingLogin
from auth_core.text import Pattern
from auth_core.users import UserLike

if TYPE_CHECKING:
    from rest_framework.request import Request

#: The form of a browser's secret. Any other cookie value is ignored.
_BROWSER_SECRET = Pattern(r"elb_[A-Za-z0-9_-]{43}", at_most=47)


def enter_session(request: HttpRequest, grant: Grant) -> None:
    """Put *grant* into this browser: a new session key (fixation), a new CSRF token, Django's signal."""
    old, request.session = request.session, grant.store or new_store(grant.credential)
    # Data of an anonymous session is kept, but not its facts: they would count as evidence of this login.
    anonymous_data = {} if SESSION_KEY in old else {key: value for key, value in old.items() if key != FACTS_KEY}
    if old.session_key and not same(old.session_key, grant.credential):
        old.flush()
    if anonymous_data:
        request.session.update(anonymous_data)
    request.session.modified = True
    request.user = grant.user
    # An authenticator may have stated the session that ends here. From now on the new store answers.
    forget_session(request)
    rotate_token(request)
    announce_login(request, grant)


def announce_login(request: HttpRequest, grant: Grant) -> None:
    """Send Django's signal that the user has logged in, which sets their last login.

    It is not sent if another person acts in the session: the user was not there.
    """
    if grant.session.actor is None:
        user_logged_in.send(sender=type(grant.user), request=request, user=grant.user)


def leave_session(request: HttpRequest, user: UserLike) -> None:
    """Remove the session from this browser. Its row has already ended."""
    user_logged_out.send(sender=type(user), request=request, user=user)
    request.session.flush()
    rotate_token(request)


def keep_django_session(request: HttpRequest, user: UserLike) -> None:
    """Keep this browser's session valid after a password change. A store with rows of its own does so itself."""
    if not hasattr(request.session, "facts") and SESSION_KEY in request.session:
        update_session_auth_hash(request, cast("Any", user))


def backend_of(request: "HttpRequest | Request") -> str:
    """Return the dotted path of the backend that authenticated the user. The session of a token stores its own."""
    http: HttpRequest = getattr(request, "_request", request)
    return str(getattr(request.user, "backend", "") or http.session.get(BACKEND_SESSION_KEY, ""))


def browser_secret_of(request: "HttpRequest | Request") -> str:
    """Return the value of this browser's ``login`` cookie, or an empty string."""
    secret = request.COOKIES.get(core.LOGIN_COOKIE, "")
    return secret if _BROWSER_SECRET.fullmatch(secret) else ""


def browser_secret_or_new(request: "HttpRequest | Request") -> str:
    """Return the value of this browser's ``login`` cookie, or a new one."""
    return browser_secret_of(request) or new_browser_secret()


def new_browser_secret() -> str:
    """Return a secret that ties a pending login to one browser."""
    return new_secret("elb")


def keep_browser_secret(response: HttpResponseBase, secret: str, *, lifetime: timedelta) -> None:
    """Set the cookie that ties a login or a sign-up to this browser."""
    keep_cookie(response, core.LOGIN_COOKIE, secret, lifetime=lifetime)


def keep_device(response: HttpResponseBase, grant: Grant) -> None:
    """Set the cookie that recognises this browser at its next login. It grants no access."""
    if grant.device_credential:
        keep_cookie(response, core.DEVICE_COOKIE, grant.device_credential, lifetime=grant.device_lifetime)


def keep_cookie(response: HttpResponseBase, name: str, secret: str, *, lifetime: timedelta | None) -> None:
    """Set a cookie that scripts cannot read. It needs HTTPS, unless a setting has given it another name."""
    response.set_cookie(
        name, secret, max_age=lifetime, secure=name.startswith("__Host-"), httponly=True, samesite="Lax"
    )


def end_unfinished_logins(request: "HttpRequest | Request", response: HttpResponseBase) -> None:
    """End the pending logins of this browser. After signing out, a code alone must not open a session."""
    PendingLogin.objects.end_of_browser(browser_secret_of(request))
    forget_browser_secret(request, response)


def forget_browser_secret(request: "HttpRequest | Request", response: HttpResponseBase) -> None:
    """Delete the cookie. No pending login uses it any more."""
    if core.LOGIN_COOKIE in request.COOKIES:
        response.delete_cookie(core.LOGIN_COOKIE, path="/", samesite="Lax")
