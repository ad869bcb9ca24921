"""Rules for every route of the service in doors.toml.

New routes are covered too, because `test_doors` fails until they are listed.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.test import Client as Browser
from django.utils import timezone

from auth_audit.models import AuditEntry, PersonalKey
from auth_core.contracts import Transport
from auth_core.models import GuessBudget
from auth_core.oauth.models import AuthorizationRequest
from auth_core.testing.browsers import log_in, post
from auth_core.testing.doors import Doors
from auth_core.testing.factories import make_administrator
from auth_core.testing.sessions import evidence_for, sign_in
from auth_core.testing.settings import redis_url
from auth_sessions.models import CacheEpoch, Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

DOORS = Doors.read(Path(__file__).parent / "doors.toml")
EVERY = DOORS.addresses("door", "open", "signed_in", "permitted")
PAGES = [address for address in EVERY if not address.startswith(("/api/", "/.well-known/"))]
SAFE = ("get", "head", "options")
UNSAFE = ("post", "put", "patch", "delete")

#: Tables that any request may write: counters, records, and the epoch of cached sessions, which the first request
#: after Redis was empty writes. What a client asks for waits in a row too, and changes nothing of a person.
WRITTEN_BY_ANY_REQUEST = (AuditEntry, PersonalKey, CacheEpoch, GuessBudget, AuthorizationRequest)
#: Columns with the time of the last use.
SEEN = frozenset({"last_seen_at", "seen_at", "last_used_at", "session_data", "expire_date"})

#: Fields that no body accepts.
EXTRA = {"is_staff": True, "is_superuser": True, "email_verified": True, "user_id": 1, "roles": ["root"]}


def state() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table that a request may change, without times of use."""
    tables = [model for model in apps.get_models() if model._meta.managed and model not in WRITTEN_BY_ANY_REQUEST]
    return {model._meta.label: sorted(_rows(model), key=repr) for model in tables}


def _rows(model: type[models.Model]) -> Iterator[tuple[Any, ...]]:
    columns = [field.attname for field in model._meta.concrete_fields if field.attname not in SEEN]
    yield from model._default_manager.values_list(*columns)


def changed(act: Callable[[], object]) -> list[str]:
    """Return the tables that *act* changes."""
    before = state()
    act()
    after = state()
    return [label for label, rows in after.items() if rows != before[label]]


def administrator(*, transport: Transport = Transport.COOKIE) -> Browser:
    root = get_user_model().objects.filter(email="root@example.org").first() or make_administrator("root@example.org")
    return sign_in(root, evidence=evidence_for("aal3"), transport=transport)


def changed_by(addresses: list[str], act: Callable[[str], object]) -> dict[str, list[str]]:
    """Return the tables that *act* changes, by address. If there is no change at all, compare the tables only once."""
    if not changed(lambda: [act(address) for address in addresses]):
        return {}
    by_address = {address: changed(partial(act, address)) for address in addresses}
    return {address: tables for address, tables in by_address.items() if tables}


@pytest.mark.asvs("3.5.3")
def test_a_safe_method_changes_nothing() -> None:
    browser = administrator()

    def act(address: str) -> None:
        for method in SAFE:
            assert getattr(browser, method)(address).status_code < 500

    assert changed_by(EVERY, act) == {}


@pytest.mark.asvs("3.5.3")
def test_a_changing_method_is_detected(alice: Any) -> None:
    def act(address: str) -> None:
        get_user_model().objects.filter(pk=alice.pk).update(display_name=address)

    assert changed_by(["/a/"], act) == {}, "the second comparison starts from the changed state"
    assert changed(lambda: act("/b/")) == ["auth_accounts.User"]


@pytest.mark.asvs("3.5.1")
def test_a_request_without_a_csrf_token_changes_nothing() -> None:
    browser = administrator()
    del browser.defaults["HTTP_X_CSRFTOKEN"]

    def act(address: str) -> None:
        for method in UNSAFE:
            refused = getattr(browser, method)(address, {}, content_type="application/json")
            # 400: the body names the transport, and an empty body is refused before the CSRF check.
            # 404: the answer that a provider posts brings no token, and this provider does not exist.
            expected = (404, 405) if address.endswith("/callback/") else (400, 403, 405)
            assert refused.status_code in expected, (method, address)
            if refused.status_code == 403 and address.startswith("/api/"):
                assert refused.json()["code"] == "csrf_failed", (method, address)

    assert changed_by(EVERY, act) == {}


@pytest.mark.asvs("8.2.3")
@pytest.mark.asvs("15.3.3")
def test_a_body_cannot_set_foreign_fields() -> None:
    caller = administrator(transport=Transport.TOKEN)

    def act(address: str) -> None:
        for method in ("post", "patch"):
            refused = getattr(caller, method)(address, EXTRA, content_type="application/json")
            assert 400 <= refused.status_code < 500, (method, address, refused.status_code)

    assert changed_by([address for address in EVERY if address.startswith("/api/")], act) == {}


@pytest.mark.asvs("7.4.4")
def test_every_account_page_has_a_sign_out_button() -> None:
    browser = administrator()
    answers = {address: browser.get(address) for address in DOORS.addresses("signed_in")}
    pages = {
        address: page.content.decode()
        for address, page in answers.items()
        if page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    }

    assert len(pages) > 10
    assert [address for address, page in pages.items() if 'action="/logout/"' not in page] == []


@pytest.mark.asvs("14.2.3")
def test_pages_use_no_other_host() -> None:
    hosts = {
        (address, host)
        for browser in (Browser(), administrator())
        for address in [*PAGES, "/admin/", "/api/docs/"]
        for host in hosts_in(browser.get(address, follow=True).content.decode())
    }

    assert hosts == set()
    assert hosts_in('<img src="https://evil.example/a.png">') == {"evil.example"}


def hosts_in(page: str) -> set[str]:
    """Return the foreign hosts in links, sources and form targets of a page."""
    named = re.findall(r'(?:src|href|action|data|poster)="([^"]+)"', page)
    return {urlsplit(url).netloc for url in named} - {"", "testserver", "auth.example.org"}


UNKNOWN = "00000000-0000-0000-0000-000000000007"
LAST_STEPS = {
    "login/answer": {"token": "elt_" + "x" * 43, "answer": {"code": "123456"}},
    "login/challenge": {"token": "elt_" + "x" * 43, "choice": UNKNOWN},
    "password/reset": {"token": "elr_" + "x" * 43, "password": "an unusual phrase 4711"},
    "email/verify": {"token": "els_" + "x" * 43},
    "invitations/accept": {"token": "eli_" + "x" * 43, "password": "an unusual phrase 4711"},
    "devices/not-me": {"token": "eln_" + "x" * 43},
    "mfa/passkeys/login/answer": {"token": "elt_" + "x" * 43, "credential": {"id": "x"}},
    f"mfa/totp/{UNKNOWN}/confirm": {"code": "123456"},
    f"mfa/sms/{UNKNOWN}/confirm": {"code": "123456"},
    f"mfa/email/{UNKNOWN}/confirm": {"code": "123456"},
    f"mfa/passkeys/{UNKNOWN}/confirm": {"credential": {"id": "x"}},
}


@pytest.mark.asvs("2.3.1")
@pytest.mark.parametrize("path", LAST_STEPS)
@pytest.mark.parametrize("body", ["complete", "empty"])
def test_a_last_step_without_its_first_is_refused(path: str, body: str) -> None:
    caller = administrator(transport=Transport.TOKEN) if UNKNOWN in path else Browser()

    def ask() -> None:
        refused = post(caller, path, **(LAST_STEPS[path] if body != "empty" else {}))
        assert refused.status_code in (400, 401, 403, 404), refused.status_code
        assert "credential" not in refused.json()

    assert changed(ask) == []
    assert not {"sessionid", "__Host-session"} & set(caller.cookies)


@pytest.mark.asvs("7.2.1")
@pytest.mark.asvs("7.2.2")
def test_a_credential_belongs_to_one_session_and_cannot_be_forged(alice: Any) -> None:
    credentials = {
        sign_in(alice, transport=Transport.TOKEN).defaults["HTTP_AUTHORIZATION"].removeprefix("Session ")
        for _login in range(3)
    }

    assert len(credentials) == 3
    assert not {str(alice.pk), str(alice.auth_identity.subject_id)} & credentials
    for credential in credentials:
        forged = credential[:-1] + ("A" if credential[-1] != "A" else "B")
        assert Browser().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Session {forged}").status_code == 401
        assert Browser().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Session {credential}").status_code == 200


BROKEN = {
    "the limits": "auth_core.limits.charge",
    "the password": "auth_core.passwords.hashing.verify",
    "the risk": "auth_core.login.journey.risk_assessor",
    "the admission": "auth_core.login.refusals.admit",
    "the steps": "auth_core.login.journey.login_steps",
    "the trail": "auth_core.login.journey.record",
}


@pytest.mark.asvs("16.5.3")
@pytest.mark.parametrize("check", BROKEN)
def test_a_login_with_a_crashing_check_is_not_granted(check: str, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BROKEN[check], _raise)

    refused = log_in(Browser(raise_request_exception=False), transport="token")

    assert refused.status_code == 500
    assert not Session.objects.exists()


@pytest.mark.asvs("16.5.3")
@pytest.mark.parametrize(
    "check", ["auth_sessions.revocation.session_lookup.admit", "auth_rbac.decisions.decisions.check"]
)
def test_a_request_with_a_crashing_check_is_refused(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_administrator("root@example.org")
    make_administrator("another@example.org")
    get_user_model().objects.filter(pk=root.pk).update(is_superuser=False)
    caller = administrator(transport=Transport.TOKEN)
    caller.raise_request_exception = False
    monkeypatch.setattr(check, _raise)

    assert caller.get("/api/v1/roles/").status_code >= 400


@pytest.mark.asvs("6.2.10")
def test_a_password_from_five_years_ago_still_works(alice: Any, time_machine: Any) -> None:
    time_machine.move_to(timezone.now() + timedelta(days=5 * 365), tick=False)

    assert log_in(Browser(), transport="token").status_code == 200


def _raise(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("A check that cannot run.")
