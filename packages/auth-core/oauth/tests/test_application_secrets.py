"""The secret of an application: its replacement on each path, the overlap, and where it is shown."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from administrators import ADMIN, API, CHANGE, browser_of_administrator, browser_of_clerk, form_of, run, send, state
from auth_core.errors import InvalidRequest
from auth_core.oauth.applications.client_secrets import LONGEST_OVERLAP, end_previous_secret, replace_secret
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.sweep import delete_expired
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication, make_signing_application

pytestmark = pytest.mark.django_db

_SHOWN = re.compile(r'<pre id="client-secret"[^>]*>([A-Za-z0-9]{48})</pre>')


def shown_in(page: Any) -> str:
    """Return the secret that an admin page shows. Empty: none."""
    found = _SHOWN.search(page.content.decode())
    return found[1] if found else ""


def replace_by_api(application: Registered, overlap: int) -> str:
    """Replace the secret through the API."""
    answer = send(browser_of_administrator(), "post", f"{API}{application.policy.pk}/secret/", overlap=overlap)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["client_secret"])


def replace_by_admin(application: Registered, overlap: int) -> str:
    """Replace the secret in the admin, and read it on the page after it."""
    browser, address = browser_of_administrator(), f"{ADMIN}{application.policy.pk}/secret/"
    answer = browser.post(address, {"overlap": overlap})
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    return shown_in(browser.get(address))


def replace_by_command(application: Registered, overlap: int) -> str:
    """Replace the secret by the command."""
    options = ["--overlap", str(overlap)] if overlap else []
    return str(run("replace_secret", application.client_id, *options)[0]["client_secret"])


PATHS: dict[str, Callable[[Registered, int], str]] = {
    "api": replace_by_api, "admin": replace_by_admin, "command": replace_by_command,
}  # fmt: skip


def works(application: Registered, secret: str) -> bool:
    """Return whether the token endpoint accepts *secret*."""
    answer = Registered(row=application.row, secret=secret).post("/oauth/token", grant_type="client_credentials")
    return bool(answer.status_code == 200)


@pytest.mark.parametrize("path", PATHS)
def test_a_new_secret_replaces_the_former_at_once(path: str, service: Registered, events: list[Any]) -> None:
    secret = PATHS[path](service, 0)

    assert works(service, secret)
    assert not works(service, service.secret)
    assert secret not in str(state())
    assert [event.name for event in events].count(OAuthEvent.SECRET_REPLACED) == 1
    assert secret not in str(events)


@pytest.mark.parametrize("path", PATHS)
def test_with_an_overlap_both_are_accepted_until_its_end(path: str, service: Registered, clock: Any) -> None:
    secret = PATHS[path](service, 3600)

    assert works(service, secret)
    assert works(service, service.secret)
    clock.forward(seconds=3600)
    assert works(service, secret)
    assert not works(service, service.secret)


@pytest.mark.asvs("10.4.16")
@pytest.mark.parametrize("path", CHANGE)
def test_an_application_that_gets_a_key_loses_its_secrets_for_good(path: str, service: Registered) -> None:
    grants, holder = ["client_credentials"], KeyHolder()
    second = replace_secret(policy=service.policy, overlap=LONGEST_OVERLAP)

    assert not CHANGE[path](service.policy, auth_method="private_key_jwt", jwks=holder.jwks, grants=grants)

    signing = SigningApplication(row=service.row, secret="", holder=holder)
    assert signing.post("/oauth/token", grant_type="client_credentials").status_code == 200
    assert not CHANGE[path](service.policy, auth_method="", jwks="", grants=grants)
    assert [works(service, secret) for secret in (service.secret, second)] == [False, False]
    assert signing.post("/oauth/token", grant_type="client_credentials").status_code == 401
    third = replace_secret(policy=service.policy, overlap=LONGEST_OVERLAP)
    assert service.policy.previous_secret_until is None
    assert works(service, third)


def test_a_secret_is_not_replaced_where_a_key_is_used(service: Registered) -> None:
    keyed = make_signing_application()
    before, browser = state(), browser_of_administrator()

    with pytest.raises(InvalidRequest):
        replace_secret(policy=keyed.policy)
    with pytest.raises(CommandError, match="It authenticates with its key"):
        run("replace_secret", keyed.client_id)
    assert browser.get(f"{ADMIN}{keyed.policy.pk}/secret/").status_code == 404
    page = browser.get(f"{ADMIN}{keyed.policy.pk}/change/").content.decode()
    assert f"{keyed.policy.pk}/secret/" not in page

    assert state() == before


def test_a_third_secret_is_never_accepted(service: Registered) -> None:
    second = replace_secret(policy=service.policy, overlap=LONGEST_OVERLAP)
    third = replace_secret(policy=service.policy, overlap=LONGEST_OVERLAP)

    assert [works(service, secret) for secret in (service.secret, second, third)] == [False, True, True]


def end_by_api(application: Registered) -> None:
    """End the previous secret through the API."""
    address = f"{API}{application.policy.pk}/secret/previous/"
    browser = browser_of_administrator()
    assert browser.delete(address).status_code == 204
    assert browser.delete(address).status_code == 404


def end_by_admin(application: Registered) -> None:
    """End the previous secret in the admin."""
    browser, address = browser_of_administrator(), f"{ADMIN}{application.policy.pk}/secret/"
    assert b"End the previous secret now" in browser.get(address).content
    assert browser.post(address, {"overlap": 0, "end_previous": "x"}).status_code == 303
    assert b"End the previous secret now" not in browser.get(address).content


def end_by_command(application: Registered) -> None:
    """End the previous secret by the command."""
    call_command("replace_secret", application.client_id, "--end-previous")


@pytest.mark.parametrize("end", [end_by_api, end_by_admin, end_by_command])
def test_the_former_secret_can_be_ended_early(end: Any, service: Registered, events: list[Any]) -> None:
    secret = replace_secret(policy=service.policy, overlap=LONGEST_OVERLAP)

    end(service)

    assert works(service, secret)
    assert not works(service, service.secret)
    assert OAuthEvent.SECRET_ENDED in [event.name for event in events]
    assert not end_previous_secret(policy=service.policy)


@pytest.mark.parametrize("overlap", [-1, "60", True, int(LONGEST_OVERLAP.total_seconds()) + 1, 1.5, None])
def test_an_overlap_is_bounded(overlap: Any, administrator: Browser, service: Registered) -> None:
    before = state()

    assert send(administrator, "post", f"{API}{service.policy.pk}/secret/", overlap=overlap).status_code == 400
    assert administrator.post(f"{ADMIN}{service.policy.pk}/secret/", {"overlap": f"{overlap}x"}).status_code == 200

    assert state() == before


def test_a_public_application_has_none(native: Registered, administrator: Browser) -> None:
    with pytest.raises(InvalidRequest):
        replace_secret(policy=native.policy)
    assert administrator.get(f"{ADMIN}{native.policy.pk}/secret/").status_code == 404


def test_the_admin_shows_a_new_secret_once_and_only_in_its_session(administrator: Browser) -> None:
    created = administrator.post(f"{ADMIN}add/", form_of(name="New", redirect_uris=REDIRECT_URI))
    address = created.headers["Location"]
    other = browser_of_administrator()

    assert created.status_code == 303
    assert shown_in(other.get(address)) == ""
    assert administrator.head(address).status_code == 200
    page = administrator.get(address)
    secret = shown_in(page)
    assert len(secret) == 48
    assert "no-store" in page.headers["Cache-Control"]
    assert shown_in(administrator.get(address)) == ""
    assert ApplicationPolicy.objects.values_list("unread", "unread_in", "unread_until").get() == (None, None, None)
    application = Registered(row=ApplicationPolicy.objects.get().application, secret=secret)
    assert application.post("/oauth/token", grant_type="x").json()["error"] != "invalid_client"


def test_a_secret_that_waits_is_encrypted_and_in_no_log(
    administrator: Browser, caplog: pytest.LogCaptureFixture, events: list[Any]
) -> None:
    created = administrator.post(f"{ADMIN}add/", form_of(name="New", redirect_uris=REDIRECT_URI))
    waiting = str(state())
    policy = ApplicationPolicy.objects.get()
    change_page = administrator.get(f"{ADMIN}{policy.pk}/change/").content.decode()

    secret = shown_in(administrator.get(created.headers["Location"]))

    assert secret
    logged = str(list(LogEntry.objects.values()))
    for text in (waiting, logged, caplog.text, str(events), repr(policy), change_page):
        assert secret not in text
    assert "auth_client_secret" not in change_page


def test_a_secret_that_no_one_read_is_wiped(administrator: Browser, clock: Any) -> None:
    created = administrator.post(f"{ADMIN}add/", form_of(name="New", redirect_uris=REDIRECT_URI))

    clock.forward(minutes=10)

    assert shown_in(administrator.get(created.headers["Location"])) == ""
    assert ApplicationPolicy.objects.exclude(unread=None).exists()
    delete_expired()
    assert not ApplicationPolicy.objects.exclude(unread=None).exists()


def test_the_page_of_the_secret_needs_the_permission_to_change(service: Registered) -> None:
    before, address = state(), f"{ADMIN}{service.policy.pk}/secret/"
    clerk = browser_of_clerk("view_applicationpolicy", is_staff=True)

    assert clerk.get(address).status_code == 403
    assert clerk.post(address, {"overlap": 0}).status_code == 403
    assert state() == before


@pytest.mark.parametrize("key", ["x", "0", "00000000-0000-0000-0000-000000000001"])
def test_the_page_of_an_unknown_application_is_not_found(key: str, administrator: Browser) -> None:
    assert administrator.get(f"{ADMIN}{key}/secret/").status_code == 404
