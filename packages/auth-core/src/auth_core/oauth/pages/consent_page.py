"""The page that asks a person for consent: who asks, and for what, in words."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.translation import gettext as _

from auth_core.assurance.evidence import SessionFacts
from auth_core.oauth.authorization import consent
from auth_core.oauth.authorization.details import Details
from auth_core.pages.base import show
from auth_core.pages.forms import EmptyForm
from auth_core.people.lookup import profile_of
from auth_core.text import Pattern

#: The status of a page that is shown again, because what it asks for has changed meanwhile.
_CONFLICT = 409

#: A host with its port, as it may stand in a policy.
_HOST = Pattern(r"[a-z0-9.-]+(?::[0-9]{1,5})?", at_most=260)


def show_consent(
    request: HttpRequest,
    details: Details,
    session: SessionFacts,
    *,
    action: str,
    has_changed: bool = False,
    template: str = "auth_oauth/consent.html",
    **context: Any,
) -> HttpResponse:
    """Return the page.

    Args:
        action: Where its form is posted to: the address of the handle.
        has_changed: Whether the person approved something else than what is asked for now.
        template: A template that extends the one of consent.
        context: More for *template*.
    """
    shown = consent.shown_for(details)
    form = EmptyForm({} if has_changed else None)
    if has_changed:
        form.add_error(None, _("What the application asks for has changed. Check it again."))
    values = {
        "title": _("Allow access?"),
        "shown": shown,
        "place": consent.place_of(shown),
        "account": profile_of(request.user)["email"],
        "binding": consent.binding_of(details, session),
        "days": shown.lifetime and max(1, shown.lifetime.days),
        "is_rememberable": consent.is_rememberable(details),
        "logo": shown.facts.get("logo_uri", ""),
        "form": form,
        "action": action,
        **context,
    }
    response = show(request, template, values, status=_CONFLICT if has_changed else 200)
    if values["logo"]:
        response.headers["Content-Security-Policy"] = _policy_with(shown.facts["logo_uri"])
    return response


def _policy_with(logo: str) -> str:
    """Return a policy that also allows the logo. That of the site allows no image of another site."""
    own = " ".join(filter(None, ("'self'", _origin_of(static("auth_core/auth.css")))))
    return (
        f"default-src 'none'; script-src {own}; style-src {own}; img-src {own} data: {_origin_of(logo)};"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if _HOST.fullmatch(parts.netloc) else ""
