"""The admin pages that show a secret once: that of an application, and an initial access token."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth_core.assurance.evidence import session_of
from auth_core.errors import AuthError
from auth_core.oauth.admin_forms import SecretForm
from auth_core.oauth.applications.changes import find_policy
from auth_core.oauth.applications.client_secrets import end_previous_secret, replace_secret
from auth_core.oauth.models import ApplicationPolicy, InitialAccessToken
from auth_core.observability.denials import mark_denied_by
from auth_core.pages.base import see_other

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

#: What a person reads whose session cannot show a secret on the next page.
NO_SESSION = gettext_lazy("Sign in again. This session cannot show a new secret.")


def address_of_secret(policy: ApplicationPolicy) -> str:
    """Return the URL of the page with the secret of an application."""
    return reverse("admin:auth_oauth_applicationpolicy_secret", args=[policy.pk])


def secret(admin: "ModelAdmin[Any]", request: HttpRequest, object_id: str) -> HttpResponse:
    """Show a new secret once, and the form that replaces it. The form redirects here, so a reload makes no other secret."""
    policy = _find_or_404(object_id)
    if not admin.has_change_permission(request, policy):
        raise PermissionDenied
    form = SecretForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        _change(request, policy, form)
        return see_other(address_of_secret(policy))
    session = session_of(request)
    shown = policy.take_unread(session_id=session.id) if request.method == "GET" and session is not None else ""
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Secret of %(application)s") % {"application": policy.application},
        "opts": admin.opts,
        "policy": policy,
        "form": form,
        # The name is that of a secret, so that error pages and logs hide it.
        "client_secret": shown,
    }
    response = TemplateResponse(request, "auth_oauth/application_secret.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def initial_token(
    admin: "ModelAdmin[Any]", request: HttpRequest, row: InitialAccessToken, *, client_secret: str
) -> HttpResponse:
    """Show a new initial access token. It is nowhere else: a reload of this page issues another one."""
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Initial access token"),
        "opts": admin.opts,
        "row": row,
        "client_secret": client_secret,
    }
    response = TemplateResponse(request, "auth_oauth/initial_token.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _change(request: HttpRequest, policy: ApplicationPolicy, form: SecretForm) -> None:
    """Replace the secret, or end the one before. A refusal is an error message."""
    session = session_of(request)
    try:
        if "end_previous" in request.POST:
            end_previous_secret(policy=policy, actor=request.user)
            messages.success(request, _("The previous secret is not accepted any more."))
        elif session is None:
            messages.error(request, NO_SESSION)
        else:
            overlap = timedelta(seconds=form.cleaned_data["overlap"])
            replace_secret(policy=policy, overlap=overlap, actor=request.user, shown_in=session.id)
            messages.success(request, _("The secret was replaced."))
    except AuthError as refusal:
        mark_denied_by(refusal)
        details = [error.detail for error in refusal.errors] or [refusal.detail]
        messages.error(request, " ".join(details))


def _find_or_404(object_id: str) -> ApplicationPolicy:
    try:
        key: Any = ApplicationPolicy._meta.pk.to_python(object_id)
    except ValidationError:
        raise Http404 from None
    policy = find_policy(key)
    if policy is None or not policy.uses_secret:
        raise Http404
    return policy
