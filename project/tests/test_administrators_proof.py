"""Administration requires a recent second factor from every network (ASVS 8.4.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client as Browser
from django.urls import get_resolver
from django.utils import timezone

from auth_core.administration import Act, max_age_of
from auth_core.contracts import Transport
from auth_core.flows.first_administrator import new_bootstrap_link
from auth_core.people.lookup import identity_of
from auth_core.testing.browsers import answer, log_in, log_in_on_page, new_browser, post
from auth_core.testing.doors import Doors, address_of
from auth_core.testing.events import recording
from auth_core.testing.factories import PASSWORD, make_administrator
from auth_core.testing.mails import code_in, the_mail
from auth_core.testing.sessions import evidence_for, sign_in
from auth_core.testing.settings import redis_url
from auth_mfa import oath
from auth_mfa.models import TotpFactor
from auth_mfa.testing.factors import KEY, add_totp, current_code
from auth_rbac.api.permissions import MayManage
from auth_sessions.models import Session
from enterprise_auth.core.profiles import required_of

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

DOORS = Doors.read(Path(__file__).with_name("doors.toml"))

#: Routes of the admin site without path converters.
PATTERNS = {"^(?P<app_label>": "auth_core/", "(?P<url>": "nowhere/"}

GUARD = "auth_core.pages.administration.AdministrationMiddleware"


@pytest.fixture
def root(db: None) -> Any:
    """A superuser."""
    return make_administrator("root@example.org")


def by_password(user: Any, **how: Any) -> Browser:
    """Return a client with a password session, whose user has a second factor."""
    caller = sign_in(user, **how)
    add_totp(user)
    return caller


def caller_of(user: Any, *, age: timedelta = timedelta(0), **how: Any) -> Browser:
    """Return a client with a session of two factors, proved *age* ago."""
    proved = [replace(proof, at=timezone.now() - age) for proof in evidence_for("aal2")]
    return sign_in(user, evidence=proved, **how)


def site_pages(patterns: Iterable[Any] | None = None, prefix: str = "/admin/") -> Iterator[str]:
    """Yield an address of each route of the admin site, without login and logout."""
    for pattern in admin.site.urls[0] if patterns is None else patterns:
        route = str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from site_pages(pattern.url_patterns, f"{prefix}{route}")
        elif pattern.name not in ("login", "logout", "password_change"):
            path = next((path for start, path in PATTERNS.items() if route.startswith(start)), None)
            yield f"{prefix}{path or address_of(route.replace('<path:', '<uuid:')).lstrip('/')}"


def call_api(caller: Browser, method: str = "get") -> dict[str, Any]:
    """Call every API address that requires a permission, and return the responses."""
    return {address: getattr(caller, method)(address) for address in DOORS.addresses("permitted")}


def without_demand(answers: dict[str, Any]) -> set[str]:
    """Return the addresses that did not require a proof."""
    refusal = "insufficient_user_authentication"
    return {
        address for address, answer in answers.items() if answer.status_code != 401 or answer.json()["code"] != refusal
    }


def unguarded_pages(browser: Browser) -> set[str]:
    """Return the pages of the admin site that did not redirect to the proof."""
    locations = {page: browser.get(page).headers.get("Location", "") for page in site_pages()}
    return {page for page, address in locations.items() if not address.startswith("/login/again/?next=%2Fadmin%2F")}


@pytest.mark.asvs("8.4.2")
@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
def test_the_api_refuses_a_password_alone_and_an_old_proof(method: str, root: Any) -> None:
    age = max_age_of(Act.READ if method == "get" else Act.CHANGE) + timedelta(seconds=1)

    of_password = call_api(by_password(root, transport=Transport.TOKEN), method)
    of_old = call_api(caller_of(root, age=age, transport=Transport.TOKEN), method)

    assert without_demand(of_password) == set()
    assert without_demand(of_old) == set()
    assert {answer.json()["required_assurance"] for answer in of_password.values()} == {"aal2"}
    assert {answer.json()["max_age"] for answer in of_password.values()} <= {8 * 3600, 1800, 300}


def test_a_fresh_proof_is_enough_for_the_api(root: Any) -> None:
    for method in ("get", "post"):
        answers = call_api(caller_of(root, transport=Transport.TOKEN), method)

        assert without_demand(answers) == set(answers), method
        assert 403 not in {answer.status_code for answer in answers.values()}, method


def test_an_unguarded_api_address_is_detected(root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MayManage, "has_permission", MayManage.may)

    assert "/api/v1/roles/" in without_demand(call_api(by_password(root, transport=Transport.TOKEN)))


@pytest.mark.asvs("8.4.2")
def test_the_admin_site_refuses_a_password_alone_and_an_old_proof(root: Any) -> None:
    assert len(list(site_pages())) > 90
    assert unguarded_pages(by_password(root)) == set()
    assert unguarded_pages(caller_of(root, age=max_age_of(Act.READ) + timedelta(seconds=1))) == set()


def test_a_fresh_proof_opens_the_pages(root: Any) -> None:
    browser = caller_of(root)

    assert unguarded_pages(browser) == set(site_pages())
    assert browser.get("/admin/").status_code == 200


def test_an_unguarded_admin_site_is_detected(root: Any, settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != GUARD]

    assert "/admin/" in unguarded_pages(by_password(root))


def test_an_unwrapped_admin_page_is_still_guarded(root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    below = next(one for one in get_resolver().url_patterns if getattr(one, "app_name", "") == "admin")
    view = below.url_patterns[0].callback
    monkeypatch.setattr(below.url_patterns[0], "callback", view.__wrapped__)

    redirect = by_password(root).get("/admin/")

    assert redirect.headers["Location"].startswith("/login/again/?next=%2Fadmin%2F")


@pytest.mark.asvs("8.4.2")
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_no_network_is_trusted(method: str, root: Any) -> None:
    caller = by_password(root, transport=Transport.TOKEN)

    for address in ("127.0.0.1", "10.0.0.7"):
        assert getattr(caller, method)("/api/v1/users/sessions/", REMOTE_ADDR=address).status_code == 401


def test_decisions_and_risks_of_others_require_an_administrators_proof(root: Any, alice: Any) -> None:
    caller, other = sign_in(root, transport=Transport.TOKEN), str(identity_of(alice).subject_id)
    sign_in(alice)
    theirs = Session.objects.get(user=alice).pk
    may = {"permission": "auth_rbac.view_role", "subject": {"kind": "person", "id": other}}
    requests = {
        "check": lambda: post(caller, "access/check", **may),
        "explain": lambda: post(caller, "access/explain", **may),
        "subjects": lambda: caller.get("/api/v1/access/subjects/?permission=auth_rbac.view_role"),
        "risk": lambda: caller.get(f"/api/v1/sessions/{theirs}/risk/"),
    }

    of_password = {name: ask() for name, ask in requests.items()}
    caller.defaults.update(caller_of(root, transport=Transport.TOKEN).defaults)
    fresh = {name: ask().status_code for name, ask in requests.items()}

    assert without_demand(of_password) == set()
    assert set(fresh.values()) == {200}
    own = post(sign_in(root, transport=Transport.TOKEN), "access/check", permission=may["permission"])
    assert own.json()["allowed"]


def test_an_old_proof_is_renewed_and_redirects_back(root: Any) -> None:
    add_totp(root)
    began, browser = timezone.now(), Browser()
    with time_machine.travel(began, tick=False):
        log_in_on_page(browser, identifier="root@example.org")
        browser.post("/login/answer/", {"code": current_code(KEY)})
        assert browser.get("/admin/auth/group/add/").status_code == 200

    with time_machine.travel(began + timedelta(minutes=20), tick=False):
        refused = browser.post("/admin/auth/group/add/", {"name": "editors"})
        assert not Group.objects.exists()
        proof_page = str(refused.context["links"][0]["url"])
        browser.post(proof_page)
        browser.post("/login/answer/", {"password": PASSWORD})
        back = browser.post("/login/answer/", {"code": current_code(KEY)})
        made = browser.post("/admin/auth/group/add/", {"name": "editors"})

    assert (refused.status_code, "Your changes were not saved" in refused.content.decode()) == (401, True)
    assert (back.status_code, back.headers["Location"]) == (303, "/admin/auth/group/add/")
    assert made.status_code == 302
    assert Group.objects.get().name == "editors"


def test_reading_accepts_older_proofs_than_changing_and_critical_actions(root: Any, alice: Any) -> None:
    browser = caller_of(root, age=timedelta(minutes=10))
    person = f"/admin/auth_accounts/user/{alice.pk}/change/"
    inlines = ("role_assignments", "userobjectpermission_set")
    rows = {f"{name}-{which}_FORMS": "0" for name in inlines for which in ("TOTAL", "INITIAL")}
    fields = {"username": "", "display_name": "Alice", "locale": "", "timezone": "", **rows}

    named = browser.post(person, fields)
    raised = browser.post(person, {**fields, "display_name": "Root", "is_superuser": "on", "is_staff": "on"})
    later = caller_of(root, age=timedelta(hours=1))

    alice.refresh_from_db()
    assert (named.status_code, raised.status_code) == (302, 401)
    assert (alice.display_name, alice.is_superuser, alice.is_staff) == ("Alice", False, False)
    assert (later.get(person).status_code, later.post(person, fields).status_code) == (200, 401)


@pytest.mark.asvs("7.5.3")
def test_removing_protection_needs_a_proof_of_minutes(root: Any, alice: Any) -> None:
    factor = add_totp(alice)
    stale, of_stale = timedelta(minutes=6), identity_of(alice).subject_id
    browser = caller_of(root, age=stale)

    for action in ("remove", "reset"):
        body = {"action": action, "_selected_action": [str(factor.pk)], "post": "yes"}
        assert browser.post("/admin/auth_mfa/totpfactor/", body).status_code == 401, action
    by_api = caller_of(root, age=stale, transport=Transport.TOKEN).delete(f"/api/v1/users/second-factors/{of_stale}/")

    assert (by_api.status_code, by_api.json()["max_age"]) == (401, 300)
    assert TotpFactor.objects.filter(user=alice).exists()
    fresh = caller_of(root, transport=Transport.TOKEN)
    assert fresh.delete(f"/api/v1/users/second-factors/{of_stale}/").status_code == 204


@pytest.mark.parametrize("name", ["login", "logout"])
def test_a_page_named_login_or_logout_is_guarded(name: str, root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    below = next(one for one in get_resolver().url_patterns if getattr(one, "app_name", "") == "admin")
    monkeypatch.setattr(below.url_patterns[0], "name", name)

    assert by_password(root).get("/admin/").headers["Location"].startswith("/login/again/")


@pytest.mark.asvs("7.5.3")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("audit/exports", {"format": "csv"}),
        ("roles", {"name": "Auditor", "permissions": []}),
        ("assignments", {}),
        ("object-permissions", {}),
    ],
)
def test_granting_permissions_and_exporting_the_trail_need_a_proof_of_minutes(
    path: str, body: dict[str, Any], root: Any
) -> None:
    stale = caller_of(root, age=timedelta(minutes=6), transport=Transport.TOKEN)

    assert post(stale, path, **body).json()["code"] == "insufficient_user_authentication"


def test_a_user_without_permission_is_refused_before_any_proof(alice: Any) -> None:
    assert sign_in(alice).get("/admin/", follow=True).status_code == 403
    assert call_api(sign_in(alice, transport=Transport.TOKEN))["/api/v1/roles/"].status_code == 403


def test_an_administrator_without_a_factor_is_redirected_to_add_one(db: None) -> None:
    root = make_administrator("root@example.org")
    browser = sign_in(root)

    redirect = browser.get("/admin/")
    page = browser.get(redirect.headers["Location"])
    browser.post("/account/second-factors/add/")
    factor = TotpFactor.objects.get()
    key = oath.from_base32(factor.seed)
    browser.post(f"/account/second-factors/{factor.pk}/confirm/", {"code": current_code(key)})
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        browser.post(browser.get("/admin/").headers["Location"])
        browser.post("/login/answer/", {"password": PASSWORD})
        browser.post("/login/answer/", {"code": current_code(key)})
        inside = browser.get("/admin/")

    assert (redirect.status_code, redirect.headers["Location"]) == (303, "/account/second-factors/")
    assert "Administration requires a second factor, and you do not have one yet" in page.content.decode()
    assert inside.status_code == 200


def test_the_first_administrator_adds_a_factor_in_the_first_login(db: None, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": required_of([], "aal2")}
    browser = new_browser()
    browser.get(new_bootstrap_link())
    browser.post("/setup/", {"email": "root@example.org", "password": PASSWORD})

    challenged = log_in(browser, identifier="root@example.org")
    to_add = answer(browser, challenged, code=code_in(the_mail()))
    key = oath.from_base32(to_add.json()["challenge"]["data"]["secret"])
    granted = answer(browser, to_add, code=current_code(key))

    assert granted.json()["session"]["acr"] == "aal2"
    assert browser.get("/admin/").status_code == 200


def test_an_operator_may_disable_the_proof(root: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "ADMINISTRATION": {}}

    assert sign_in(root).get("/admin/").status_code == 200
    assert required_of(["group:editors"], "none") == ["group:editors"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_redirect_to_the_proof_is_audited_as_a_denial(method: str, root: Any) -> None:
    browser = by_password(root)

    with recording() as events:
        getattr(browser, method)("/admin/auth/group/add/")

    recorded = [(event.name.value, event.reason, event.subject) for event in events]
    assert recorded == [("auth.access.denied", "insufficient_user_authentication", root)]


def test_a_factor_page_records_the_same_denial(alice: Any) -> None:
    browser = caller_of(alice, age=timedelta(hours=1))
    add_totp(alice)

    with recording() as events:
        redirect = browser.get("/account/second-factors/passkeys/add/")

    assert redirect.headers["Location"].startswith("/login/again/")
    assert [event.reason for event in events] == ["insufficient_user_authentication"]
