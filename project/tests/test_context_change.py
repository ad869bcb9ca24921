"""After a context change, every change of credentials, sessions and addresses requires a proof."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client as Browser
from django.urls import get_resolver, reverse
from rest_framework.permissions import IsAuthenticated

from auth_core.api.views import AnonymousApiView, ApiView
from auth_core.contracts import Transport
from auth_core.models import Identity
from auth_core.oauth.models import Authorization
from auth_core.oauth.testing.factories import REDIRECT_URI, make_application
from auth_core.pages.base import AccountPage, Page
from auth_core.testing.browsers import answer, post, with_csrf
from auth_core.testing.doors import address_of
from auth_core.testing.factories import PASSWORD, make_administrator
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_sessions.models import Device, Session

pytestmark = [pytest.mark.django_db(transaction=bool(redis_url())), pytest.mark.asvs("8.2.4")]

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"

CHANGING = ("POST", "PUT", "PATCH", "DELETE")

#: Changes that are allowed in any context, with the reason that the view states. Add new ones here too.
EXEMPT = {
    "api/v1/logout/": "It ends only the session of the request.",
    "api/v1/reauthenticate/": "It begins the proof that a changed context requires.",
    "login/again/": "It begins the proof that a changed context requires.",
    "api/v1/access/check/": "It only reads. The request has a body because it can be too long for a URL.",
    "api/v1/access/check-many/": "It only reads. The request has a body because it can be too long for a URL.",
    "api/v1/access/explain/": "It only reads. The request has a body because it can be too long for a URL.",
}

#: Pages that need no session: they sign in or out, or accept a mailed link or code.
WITHOUT_SESSION = {
    "login/", "login/answer/", "login/choose/", "logout/", "logged-out/", "signup/", "signup/code/", "email/resend/",
    "password/forgot/", "signup/confirm/", "signup/confirm/<str:token>/", "email/verify/", "email/verify/<str:token>/",
    "password/reset/", "password/reset/<str:token>/", "invite/", "invite/<str:token>/", "setup/", "setup/<str:token>/",
    "not-me/", "not-me/<str:token>/", "account/second-factors/prove/", "account/second-factors/passkeys/login/",
    "account/second-factors/passkeys/login/options/",
    # Clients and their tokens, and requests that are only stored.
    "oauth/token", "oauth/par", "oauth/introspect", "oauth/revoke", "oauth/userinfo", "oauth/authorize", "oauth/logout",
    "oauth/logout/<str:handle>/", "oauth/device_authorization", "oauth/register", "oauth/register/<str:client_id>",
    # A sign-in at a provider. The callback connects one only after the check that connecting itself makes.
    "federation/<slug:slug>/login/", "federation/<slug:slug>/callback/",
}  # fmt: skip

#: Pages that ask for the proof by their own rules, each with its test here.
OWN_PROOF = {"oauth/authorize/<str:handle>/": "test_the_provider_asks_for_the_proof"}

#: Read-only views that are not derived from our base classes.
READ_ONLY = {
    "", "api/schema/", "api/docs/", ".well-known/passkey-endpoints", ".well-known/openid-configuration",
    ".well-known/oauth-authorization-server", ".well-known/jwks.json",
}  # fmt: skip

#: Replacements of admin pages. Each redirects to another page or signs out.
REPLACED = {"admin/login/", "admin/logout/", "admin/password_change/"}


@dataclass(frozen=True, slots=True)
class Change:
    """One route with one method that may change something."""

    route: str
    method: str
    view: Any

    @property
    def kind(self) -> str:
        """Return how the view asks, or why it does not. ``unknown``: it is not classified."""
        for kind, routes in (("reads", READ_ONLY), ("replaced", REPLACED), ("own", set(OWN_PROOF))):
            if self.route in routes:
                return kind
        if issubclass(self.view, AnonymousApiView) or self.route in WITHOUT_SESSION:
            return "anonymous"
        if not issubclass(self.view, ApiView | AccountPage):
            return "unknown"
        if self.view.context_exempt:
            return "exempt" if EXEMPT.get(self.route) == self.view.context_exempt else "unknown"
        return "asks"


def changes(patterns: Any = None, prefix: str = "") -> Iterator[Change]:
    """Yield every route outside the admin site, with each changing method."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = f"{prefix}{pattern.pattern}"
        if hasattr(pattern, "url_patterns"):
            if not route.startswith("admin/"):
                yield from changes(pattern.url_patterns, route)
            continue
        view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", object)
        for method in CHANGING:
            if view is object or hasattr(view, method.lower()):
                yield Change(route, method, view)


ALL = list(changes())
ASKING = [change for change in ALL if change.kind == "asks"]
BY_API = [change for change in ASKING if issubclass(change.view, ApiView)]
BY_PAGE = [change for change in ASKING if issubclass(change.view, AccountPage)]


def label_of(change: Change) -> str:
    return f"{change.method} {change.route}"


def elsewhere(caller: Browser) -> Browser:
    """Return the client with the same credential in another browser."""
    caller.defaults["HTTP_USER_AGENT"] = FIREFOX
    return caller


@pytest.fixture
def root(db: None) -> Any:
    """A superuser, so that only the context can refuse."""
    return make_administrator("root@example.org")


@pytest.fixture
def no_admin_proof(settings: Any) -> None:
    """Disable the proof of administrators, which other tests cover."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "ADMINISTRATION": {}}
    settings.AUTH_MFA = {**settings.AUTH_MFA, "PROOF_MAX_AGE": timedelta(days=365)}


def test_every_route_that_changes_something_is_classified() -> None:
    assert [label_of(change) for change in ALL if change.kind == "unknown"] == []
    assert {change.route for change in ALL if change.kind == "exempt"} == set(EXEMPT)
    assert set(OWN_PROOF.values()) <= set(globals())


def test_enough_routes_are_tested() -> None:
    assert len(BY_API) >= 30
    assert len(BY_PAGE) >= 20
    expected = {
        "POST api/v1/password/change/", "DELETE api/v1/sessions/<uuid:session_id>/", "POST api/v1/sessions/revoke-others/",
        "DELETE api/v1/devices/<uuid:device_id>/", "DELETE api/v1/mfa/factors/<uuid:factor_id>/", "POST api/v1/mfa/totp/",
        "POST api/v1/mfa/recovery-codes/", "POST account/password/", "POST account/sessions/end-others/",
    }  # fmt: skip
    assert expected <= {label_of(change) for change in ASKING}


def test_changes_of_a_users_own_data_are_counted() -> None:
    # The view of an export of the trail checks a permission. It is not the user's own data.
    own = [
        change
        for change in BY_API
        if IsAuthenticated in change.view.permission_classes and change.route != "api/v1/audit/exports/"
    ]

    assert len(own) >= 15
    assert [label_of(change) for change in own if not change.view.counts_changes] == []


def test_an_unclassified_view_is_detected() -> None:
    class Planted(ApiView):
        context_exempt = "Because."

        def post(self, request: Any) -> None: ...

    assert Change("back-door/", "POST", Planted).kind == "unknown"
    assert Change("back-door/", "POST", Page).kind == "unknown"
    assert Change("back-door/", "POST", object).kind == "unknown"


def test_the_provider_asks_for_the_proof(root: Any) -> None:
    application = make_application()
    parameters = {
        "client_id": application.client_id, "redirect_uri": REDIRECT_URI, "response_type": "code", "scope": "openid",
        "code_challenge": "a" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    browser = sign_in(root, transport=Transport.COOKIE)
    page = browser.get("/oauth/authorize", parameters)
    found = re.search(r'action="(/oauth/authorize/[^"]+)"', page.content.decode())
    assert found is not None, "the page that asks for consent"
    handle = found[1]

    for method in ("GET", "POST"):
        refused = elsewhere(browser).generic(
            method, handle, "decision=allow", content_type="application/x-www-form-urlencoded"
        )
        assert refused.status_code in (302, 303)
        assert refused.headers["Location"].startswith(("/login/again/?", handle)), refused.headers
    assert not Authorization.objects.exists()


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("change", BY_API, ids=label_of)
def test_the_api_requires_the_proof(change: Change, transport: Transport, root: Any, no_admin_proof: None) -> None:
    caller = elsewhere(sign_in(root, transport=transport))

    refused = caller.generic(change.method, address_of(change.route), "{}", content_type="application/json")

    assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")
    assert refused.json()["required_assurance"] in {"aal1", "aal2", "second_factor"}


@pytest.mark.parametrize("change", BY_PAGE, ids=label_of)
def test_a_page_redirects_to_the_proof(change: Change, root: Any, no_admin_proof: None, settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DEVICE_GRANT": True}
    caller = elsewhere(sign_in(root))

    redirect = caller.post(address_of(change.route), HTTP_X_CSRFTOKEN=caller.defaults["HTTP_X_CSRFTOKEN"])

    assert redirect.status_code in (302, 303)
    assert redirect.headers["Location"].startswith("/login/again/?next=")


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label_lower)
@pytest.mark.parametrize("page", ["add", "changelist"])
def test_the_admin_changes_nothing_before_the_proof(model: Any, page: str, root: Any, no_admin_proof: None) -> None:
    caller = elsewhere(sign_in(root))

    refused = caller.post(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"), {"action": "x"})

    assert refused.status_code == 401
    assert "/login/again/?next=" in refused.content.decode()


def test_a_thief_in_another_browser_changes_nothing(alice: Any) -> None:
    caller = sign_in(alice)
    sign_in(alice)
    device = Device.objects.first()
    before = list(Session.objects.order_by("pk").values_list("pk", "ended_at"))
    thief = elsewhere(caller)

    answers = [
        thief.post(
            "/api/v1/password/change/", {"current_password": PASSWORD, "new_password": "another long passphrase"}
        ),
        post(thief, "sessions/revoke-others"),
        thief.delete(f"/api/v1/sessions/{before[-1][0]}/"),
        thief.delete(f"/api/v1/devices/{device.pk}/" if device else "/api/v1/devices/"),
        thief.post("/account/sessions/end-all/"),
        thief.post("/account/password/", {"current_password": PASSWORD, "new_password": "another long passphrase"}),
    ]

    assert {answer.status_code for answer in answers} <= {401, 303, 415}
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    assert list(Session.objects.order_by("pk").values_list("pk", "ended_at")) == before
    assert Identity.objects.filter(user=alice, locked_at=None).exists()


@pytest.mark.parametrize("address", ["/api/v1/me/", "/api/v1/sessions/", "/account/", "/account/sessions/"])
def test_reading_is_still_allowed(address: str, alice: Any) -> None:
    assert elsewhere(sign_in(alice)).get(address).status_code == 200


def test_signing_out_is_still_allowed(alice: Any) -> None:
    caller = elsewhere(sign_in(alice))

    assert post(caller, "logout").status_code == 204


def test_after_the_proof_the_change_is_allowed(alice: Any) -> None:
    caller = elsewhere(sign_in(alice))
    change = {"current_password": PASSWORD, "new_password": "another long passphrase"}
    challenged = post(caller, "reauthenticate", required_assurance="aal1")
    assert answer(caller, challenged, password=PASSWORD).status_code == 200

    changed = post(with_csrf(caller), "password/change", **change)

    assert changed.status_code == 204
