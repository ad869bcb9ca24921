"""The admin pages of applications, resources, signing keys and what people gave."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client as Browser
from oauth2_provider.models import get_application_model

from administrators import ADMIN, browser_of_clerk, form_of, state
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.keys.rotation import make_first_keys
from auth_core.oauth.models import ApplicationPolicy, Authorization, Consent, Resource, SigningKey
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, make_application, make_tokens, userinfo
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_administrator
from auth_core.testing.sessions import sign_in
from people import allowed, browser_of

pytestmark = pytest.mark.django_db

RESOURCES = "/admin/auth_oauth/resource/"
AUTHORIZATIONS = "/admin/auth_oauth/authorization/"


def test_an_application_is_registered_shown_and_changed(administrator: Browser, events: list[Any]) -> None:
    administrator.post(f"{ADMIN}add/", form_of(name="New", redirect_uris=REDIRECT_URI, first_party="on"))
    policy = ApplicationPolicy.objects.get()

    page = administrator.get(f"{ADMIN}{policy.pk}/change/").content.decode()
    administrator.post(f"{ADMIN}{policy.pk}/change/", form_of(policy, name="Renamed", access_token_lifetime="60"))

    assert (policy.is_active, policy.is_first_party) == (True, True)
    assert REDIRECT_URI in page
    assert f"{ADMIN}{policy.pk}/secret/" in page
    policy.refresh_from_db()
    assert (str(policy.application), policy.access_token_lifetime.total_seconds()) == ("Renamed", 60)
    assert [event.name for event in events] == [OAuthEvent.APPLICATION_ADDED, OAuthEvent.APPLICATION_CHANGED]
    assert all(event.actor is not None for event in events)


def test_a_form_that_was_shown_before_another_change_undoes_nothing(administrator: Browser, web: Registered) -> None:
    """Only the fields that the person changed are written."""
    posted = form_of(web.policy, name="Renamed")
    ApplicationPolicy.objects.update(required_assurance="aal2")

    administrator.post(f"{ADMIN}{web.policy.pk}/change/", {**posted, "required_assurance": "aal2"})

    assert str(web.policy.application) == "Renamed"
    assert web.policy.required_assurance == "aal2"


@pytest.mark.parametrize("way", ["page", "action"])
def test_an_application_is_removed(way: str, administrator: Browser, web: Registered, events: list[Any]) -> None:
    key = str(web.policy.pk)
    if way == "page":
        assert administrator.get(f"{ADMIN}{key}/delete/").status_code == 200
        administrator.post(f"{ADMIN}{key}/delete/", {"post": "yes"})
    else:
        administrator.post(ADMIN, {"action": "delete_selected", "_selected_action": [key], "post": "yes"})

    assert not get_application_model().objects.exists()
    assert OAuthEvent.APPLICATION_REMOVED in [event.name for event in events]


def test_the_list_disables_and_enables(administrator: Browser, web: Registered, alice: Any) -> None:
    token, key = make_tokens(web, alice)["access_token"], [str(web.policy.pk)]

    administrator.post(ADMIN, {"action": "disable", "_selected_action": key})

    assert not web.policy.is_active
    assert userinfo(token).status_code == 401
    administrator.post(ADMIN, {"action": "enable", "_selected_action": key})
    assert web.policy.is_active


@pytest.mark.parametrize("page", ["", "add/", "{}/change/", "{}/delete/"])
def test_the_pages_need_their_permissions(page: str, web: Registered) -> None:
    clerk, before = browser_of_clerk("view_resource", is_staff=True), state()
    address = f"{ADMIN}{page.format(web.policy.pk)}"

    assert clerk.get(address).status_code == 403
    assert clerk.post(address, form_of(name="x", redirect_uris=REDIRECT_URI)).status_code == 403
    assert state() == before


def test_the_admin_of_the_toolkit_offers_no_path_past_the_rules(administrator: Browser) -> None:
    shown = [model._meta.label for model in admin.site._registry if model._meta.app_label == "oauth2_provider"]

    assert shown == []
    assert administrator.get("/admin/oauth2_provider/application/").status_code == 404


@pytest.mark.asvs("7.5.3")
def test_a_change_needs_a_fresh_proof(web: Registered, settings: Any, clock: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "ADMINISTRATION": {"assurance": "aal2"}}
    browser, before = sign_in(make_administrator(), assurance="aal2"), state()

    clock.forward(minutes=6)

    for address in (f"{ADMIN}add/", f"{ADMIN}{web.policy.pk}/change/", f"{ADMIN}{web.policy.pk}/secret/", ADMIN):
        assert browser.get(address).status_code == 200
        assert browser.post(address, form_of(name="x", redirect_uris=REDIRECT_URI, overlap=0)).status_code == 401
    assert state() == before


def test_a_session_that_cannot_show_a_secret_registers_nothing(client: Browser) -> None:
    client.force_login(make_administrator(), backend="auth_core.backends.IdentifierBackend")

    answer = client.post(f"{ADMIN}add/", form_of(name="New", redirect_uris=REDIRECT_URI))

    assert answer.status_code == 303
    assert not get_application_model().objects.exists()


def test_the_list_takes_the_same_queries_for_many(administrator: Browser) -> None:
    def queries(address: str) -> int:
        with counted() as counts:
            assert administrator.get(address).status_code == 200
        return counts.queries

    make_application()
    few = queries(ADMIN)
    for _number in range(20):
        make_application()

    assert queries(ADMIN) == few


def resource_form(**fields: Any) -> dict[str, Any]:
    return {"signing_algorithm": "ES256", "is_active": "on", **fields}


def test_a_resource_is_registered_changed_and_removed(
    administrator: Browser, web: Registered, events: list[Any]
) -> None:
    form = resource_form(uri="https://api.example/", scopes="orders:read See your orders\norders:write Change them")
    assert administrator.post(f"{RESOURCES}add/", form).status_code == 302
    resource = Resource.objects.get()

    changed = resource_form(name="Orders", owner=str(web.policy.pk), scopes="orders:read See your orders")
    assert administrator.post(f"{RESOURCES}{resource.pk}/change/", changed).status_code == 302

    assert resource.uri == "https://api.example"
    assert resource.scopes == {"orders:read": "See your orders", "orders:write": "Change them"}
    resource.refresh_from_db()
    assert (resource.name, resource.application) == ("Orders", web.row)
    assert resource.scopes == {"orders:read": "See your orders"}
    administrator.post(f"{RESOURCES}{resource.pk}/delete/", {"post": "yes"})
    assert not Resource.objects.exists()
    names = [OAuthEvent.RESOURCE_ADDED, OAuthEvent.RESOURCE_CHANGED, OAuthEvent.RESOURCE_REMOVED]
    assert [event.name for event in events] == names


@pytest.mark.parametrize(
    "fields",
    [
        {"uri": "api"}, {"uri": "http://api.example"}, {"uri": "https://auth.example.org"}, {"scopes": "orders:read"},
        {"scopes": "openid Know who you are"}, {"owner": "x"}, {"owner": "00000000-0000-0000-0000-000000000001"},
        {"name": "a\u2028b"},
    ],
)  # fmt: skip
def test_a_bad_resource_is_a_field_error(fields: dict[str, str], administrator: Browser) -> None:
    page = administrator.post(f"{RESOURCES}add/", resource_form(**{"uri": "https://api.example", **fields}))

    assert page.status_code == 200
    assert set(page.context["adminform"].form.errors) == set(fields)
    assert not Resource.objects.exists()


def test_what_people_gave_is_shown_without_digests_and_ended(
    administrator: Browser, web: Registered, alice: Any, events: list[Any]
) -> None:
    token = make_tokens(web, alice)["access_token"]
    row = Authorization.objects.get()

    page = administrator.get(f"{AUTHORIZATIONS}{row.pk}/change/").content.decode()
    administrator.post(AUTHORIZATIONS, {"action": "end", "_selected_action": [str(row.pk)]})

    assert row.code_digest is not None
    assert row.code_digest not in page
    assert userinfo(token).status_code == 401
    row.refresh_from_db()
    assert row.ended_reason == "administrator"
    (event,) = [event for event in events if event.name is OAuthEvent.AUTHORIZATION_ENDED]
    assert (event.subject, event.actor is not None, event.reason) == (alice, True, "administrator")


@pytest.mark.asvs("8.2.1")
def test_nobody_ends_what_a_person_with_more_rights_gave(web: Registered) -> None:
    make_tokens(web, make_administrator())
    clerk = browser_of_clerk("view_authorization", "change_authorization", is_staff=True)
    before = state()

    clerk.post(AUTHORIZATIONS, {"action": "end", "_selected_action": [str(Authorization.objects.get().pk)]})

    assert state() == before


def test_consents_and_keys_are_read_only(administrator: Browser, web: Registered, alice: Any, settings: Any) -> None:
    settings.AUTH_OAUTH = {}
    make_first_keys()
    allowed(browser_of(alice), web)
    private = [key.private_key for key in SigningKey.objects.all()]

    for model in (Consent, SigningKey):
        address = f"/admin/auth_oauth/{model._meta.model_name}/"
        row = model._base_manager.first()
        assert row is not None
        assert administrator.get(address).status_code == 200
        page = administrator.get(f"{address}{row.pk}/change/").content.decode()
        assert not any(line in page for key in private for line in key.splitlines()[1:-1])
        for one in (f"{address}add/", f"{address}{row.pk}/change/", f"{address}{row.pk}/delete/"):
            assert administrator.post(one, {"post": "yes"}).status_code == 403
