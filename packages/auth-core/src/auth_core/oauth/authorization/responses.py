"""How an answer reaches the client: by a redirect, by a page that goes there, or by a form.

Source: OAuth 2.1 section 4.1.2, RFC 9207, OAuth 2.0 Form Post Response Mode.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from auth_core.oauth.authorization.parameters import text_of
from auth_core.oauth.clients.redirect_uris import web_host_of
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import OAuthError
from auth_core.pages.base import HTTP_SEE_OTHER, show

#: The policy of a page whose form is posted to a client. That of the site forbids forms to other sites.
_FORM_POLICY = "default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Where an answer goes. The address is one that the application registered.

    Args:
        mode: The response mode. Empty: ``query``.
        state: What the client sent to recognise the answer.
        name: The name of the application.
    """

    redirect_uri: str
    mode: str = ""
    state: str = ""
    name: str = ""

    @classmethod
    def to(cls, parameters: Mapping[str, Any], application: RegisteredApplication) -> "Reply":
        """Return where the answer to these parameters goes. Their address was checked."""
        return cls(
            redirect_uri=text_of(parameters, "redirect_uri"),
            mode=text_of(parameters, "response_mode"),
            state=text_of(parameters, "state"),
            name=application.name or application.client_id,
        )

    def members(self, **answer: str) -> dict[str, str]:
        """Return *answer* with the state, and with the issuer that RFC 9207 puts into success and error."""
        return {**answer, **({"state": self.state} if self.state else {}), "iss": oauth.issuer}


def error_members(problem: OAuthError) -> dict[str, str]:
    """Return the members of an error."""
    return {"error": problem.error, "error_description": str(problem)}


def send(request: HttpRequest, reply: Reply, answer: Mapping[str, str], *, is_redirect: bool) -> HttpResponse:
    """Return the response that carries *answer* to the client.

    Args:
        is_redirect: Whether a redirect may do it. After a form of ours was posted it may not: Chromium compares every
            further address with ``form-action``, and a client may lead on to anywhere.
    """
    members = reply.members(**answer)
    if reply.mode == "form_post":
        return _form(request, reply, members)
    return leave(request, with_query(reply.redirect_uri, members), name=reply.name, is_redirect=is_redirect)


def show_error(request: HttpRequest, reply: Reply, problem: OAuthError) -> HttpResponse:
    """Return a page about an error, from which the person may go back to the client with it. Nothing goes there by itself."""
    members = reply.members(**error_members(problem))
    is_form = reply.mode == "form_post"
    context = {
        "title": _("This request cannot be completed"),
        "problem": problem,
        "host": web_host_of(reply.redirect_uri),
        "address": reply.redirect_uri if is_form else with_query(reply.redirect_uri, members),
        "members": members if is_form else None,
    }
    response = show(request, "auth_oauth/failed.html", context, status=int(problem.status))
    if is_form:
        response.headers["Content-Security-Policy"] = _FORM_POLICY.format(script="'self'")
    return response


def leave(request: HttpRequest, address: str, *, name: str, is_redirect: bool) -> HttpResponse:
    """Return a redirect to *address*, or a page that goes there by itself and by a link."""
    if is_redirect:
        # Django's redirect knows only the schemes of the web.
        return HttpResponse(status=HTTP_SEE_OTHER, headers={"Location": address})
    context = {"title": _("Continue to %(name)s") % {"name": name}, "address": address}
    return show(request, "auth_oauth/leave.html", context)


def with_query(address: str, members: Mapping[str, str]) -> str:
    """Return *address* with more parameters. Those that it has stay as they are."""
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode(members)}" if members else address


def _form(request: HttpRequest, reply: Reply, members: Mapping[str, str]) -> HttpResponse:
    """Return a page whose form posts *members* to the client.

    It has a policy of its own, because that of the site forbids forms to other sites and inline scripts. The page holds
    nothing but this form, so the addresses that a form may be posted to need no limit.
    """
    nonce = base64.b64encode(secrets.token_bytes(18)).decode()
    context = {
        "title": _("Continue to %(name)s") % {"name": reply.name},
        "address": reply.redirect_uri,
        "members": members,
        "nonce": nonce,
    }
    response = show(request, "auth_oauth/form_post.html", context)
    response.headers["Content-Security-Policy"] = _FORM_POLICY.format(script=f"'self' 'nonce-{nonce}'")
    return response
