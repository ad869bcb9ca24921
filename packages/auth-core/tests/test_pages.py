"""The pages, without a script."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

import auth_core
from auth_core.errors import Unavailable
from auth_core.flows.first_administrator import new_bootstrap_link
from auth_core.flows.invitations import invite
from auth_core.flows.password_reset import request_reset
from auth_core.models import OutboxMessage, PendingLogin, PendingSignup
from auth_core.pages import urls
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in_on_page, submit
from auth_core.testing.doubles import RIGHT_CODE
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered, link_in, the_mail
from auth_core.testing.plans import unindexed

pytestmark = pytest.mark.django_db

NEW = "another battery horse staple"
TEMPLATES = Path(auth_core.__file__).parent / "templates" / "auth_core"


@pytest.fixture
def page_browser() -> Browser:
    """A browser that checks CSRF and sends no token but that of a form."""
    return Browser(enforce_csrf_checks=True)


def shown_next(browser: Browser, answer: Any) -> Any:
    """Return the page to which a form redirects."""
    assert answer.status_code == 303, answer.content.decode()
    return browser.get(answer.headers["Location"])


def follow(browser: Browser, link: str) -> str:
    """Follow a link from a mail and return the URL without the token."""
    answer = browser.get(link.removeprefix("https://auth.example.org"))
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def refuse() -> None:
    raise Unavailable


def test_from_sign_up_to_the_account(page_browser: Browser) -> None:
    code_page = shown_next(page_browser, submit(page_browser, "/signup/", email="Bob@example.org", password=PASSWORD))
    message = the_mail()
    confirmed = submit(page_browser, "/signup/code/", page=code_page, email="Bob@example.org", code=code_in(message))
    granted = submit(page_browser, "/login/", identifier="bob@example.org", password=PASSWORD)
    account = page_browser.get(granted.headers["Location"])

    assert (code_page.status_code, confirmed.status_code, granted.status_code) == (200, 200, 303)
    assert granted.headers["Location"] == "/account/"
    assert "Bob@example.org" in account.content.decode()


@pytest.mark.parametrize("address", ["/signup/", "/email/resend/", "/password/forgot/"])
def test_reloading_the_page_after_a_form_sends_no_mail(address: str, page_browser: Browser) -> None:
    fields = {"email": "Bob@example.org"} | ({"password": PASSWORD} if address == "/signup/" else {})
    shown = shown_next(page_browser, submit(page_browser, address, **fields))
    before = list(OutboxMessage.objects.values_list("pk")), list(PendingSignup.objects.values_list("pk", "code_digest"))

    reloaded = page_browser.get(f"{shown.request['PATH_INFO']}?{shown.request['QUERY_STRING']}")

    assert (shown.status_code, reloaded.status_code) == (200, 200)
    assert before == (
        list(OutboxMessage.objects.values_list("pk")),
        list(PendingSignup.objects.values_list("pk", "code_digest")),
    )


def test_the_url_of_the_code_page_hides_the_address_and_serves_one_browser(page_browser: Browser) -> None:
    sent = submit(page_browser, "/signup/", email="Bob@example.org", password=PASSWORD)
    address = sent.headers["Location"]

    assert "ob%40" not in address
    assert "example.org" not in address
    assert "Bob@example.org" in page_browser.get(address).content.decode()
    for elsewhere in (address, "/signup/code/?for=e1.test.AAAA", "/signup/code/?for=%00%ED%B2%80", "/signup/code/"):
        assert Browser().get(elsewhere).headers["Location"] == "/signup/"


def test_the_sign_up_link_asks_for_the_password_in_another_browser(page_browser: Browser) -> None:
    submit(page_browser, "/signup/", email="bob@example.org", password=PASSWORD)
    elsewhere = Browser(enforce_csrf_checks=True)
    bare = follow(elsewhere, link_in(the_mail()))

    password_page = submit(elsewhere, bare)
    wrong = submit(elsewhere, bare, page=password_page, password=NEW)
    right = submit(elsewhere, bare, page=wrong, password=PASSWORD)

    assert (password_page.status_code, wrong.status_code, right.status_code) == (403, 401, 200)
    assert get_user_model().objects.count() == 1


@pytest.mark.asvs("6.2.6")
@pytest.mark.asvs("6.2.7")
@pytest.mark.parametrize("address", ["/login/", "/signup/", "/password/reset/", "/invite/", "/setup/"])
def test_a_form_has_labels_and_autocomplete(address: str, page_browser: Browser) -> None:
    text = page_browser.get(address).content.decode()

    inputs = re.findall(r"<input [^>]*>", text)
    shown = [field for field in inputs if 'type="hidden"' not in field]
    assert shown
    for field in shown:
        name = re.search(r'id="([^"]+)"', field)
        assert name
        assert f'<label for="{name[1]}">' in text
        assert "autocomplete=" in field
    assert all('type="password"' in field for field in shown if "password" in field)
    assert "onpaste" not in text


def test_an_error_is_shown_beside_its_field(page_browser: Browser) -> None:
    text = submit(page_browser, "/signup/", email="none", password="short").content.decode()

    assert 'aria-invalid="true"' in text
    assert 'aria-describedby="id_email-error"' in text
    assert 'id="id_email-error"' in text


def test_a_login_with_a_second_factor(alice: Any, page_browser: Browser, second_factor: None) -> None:
    challenged = log_in_on_page(page_browser, "/login/?next=/account/password/")
    assert (challenged.status_code, challenged.headers["Location"]) == (303, "/login/answer/")
    assert page_browser.get("/account/").status_code == 302

    wrong = submit(page_browser, "/login/answer/", code="000000")
    chosen = submit_choice(page_browser, "tablet")
    right = submit(page_browser, "/login/answer/", code=RIGHT_CODE)

    assert (wrong.status_code, chosen.status_code) == (401, 303)
    assert (right.status_code, right.headers["Location"]) == (303, "/account/password/")
    assert page_browser.get("/account/").status_code == 200


def submit_choice(browser: Browser, choice: str) -> Any:
    return submit(browser, "/login/choose/", page=browser.get("/login/answer/"), choice=choice)


def test_a_challenge_belongs_to_one_browser(alice: Any, page_browser: Browser, second_factor: None) -> None:
    log_in_on_page(page_browser)
    another = Browser()

    assert another.get("/login/answer/").headers["Location"] == "/login/"
    another.cookies["__Host-login"] = "elb_" + "x" * 43
    assert another.get("/login/answer/").headers["Location"] == "/login/"
    assert another.post("/login/answer/", {"code": RIGHT_CODE}).status_code == 401


def test_attempts_are_counted_on_pages_as_well(alice: Any, page_browser: Browser, second_factor: None) -> None:
    log_in_on_page(page_browser)
    for _guess in range(5):
        last = submit(page_browser, "/login/answer/", code="000000")

    assert last.status_code == 401
    assert submit(page_browser, "/login/answer/", page=page_browser.get("/login/"), code=RIGHT_CODE).status_code == 401
    assert PendingLogin.objects.get().attempts_left == 0
    assert page_browser.get("/account/").status_code == 302


@pytest.mark.asvs("6.3.8")
def test_wrong_and_unknown_look_the_same(alice: Any) -> None:
    def refused(identifier: str) -> tuple[int, str]:
        answer = submit(Browser(), "/login/", identifier=identifier, password="wrong wrong wrong wrong")
        text = re.sub(r'value="[^"]*"', "", answer.content.decode())
        return answer.status_code, text

    assert refused("alice@example.org") == refused("nobody@example.org")


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "\\\\evil",
    ],
)
def test_next_never_redirects_to_another_site(onward: str, alice: Any, page_browser: Browser) -> None:
    granted = log_in_on_page(page_browser, f"{reverse('core-pages:login')}?next={onward}")

    assert granted.headers["Location"] == "/account/"


@pytest.mark.asvs("3.5.1")
@pytest.mark.parametrize(
    "address", ["/login/", "/signup/", "/password/forgot/", "/password/reset/", "/logout/", "/setup/"]
)
def test_a_form_without_a_csrf_token_is_refused(address: str, page_browser: Browser) -> None:
    assert page_browser.post(address, {"identifier": "a", "email": "a", "password": PASSWORD}).status_code == 403


def test_a_password_is_forgotten_and_reset(alice: Any, page_browser: Browser) -> None:
    existing, unknown = (
        shown_next(page_browser, submit(page_browser, "/password/forgot/", email=f"{name}@example.org"))
        for name in ("alice", "nobody")
    )
    link = link_in(next(message for message in delivered() if message.to == ["alice@example.org"]))
    bare = follow(page_browser, link)
    page = page_browser.get(bare)
    weak = submit(page_browser, bare, page=page, password="short")
    done = submit(page_browser, bare, page=weak, password=NEW)

    assert (existing.status_code, existing.content) == (unknown.status_code, unknown.content)
    assert "alice" not in page.content.decode()
    assert (weak.status_code, done.status_code) == (400, 200)
    assert log_in_on_page(page_browser, password=NEW).status_code == 303


def test_opening_a_link_does_not_consume_it(alice: Any) -> None:
    request_reset(email="alice@example.org", client=Client())
    link = link_in(the_mail())
    for _scanner in range(3):
        scanner = Browser()
        answer = scanner.get(link.removeprefix("https://auth.example.org"), follow=True)
        assert "elr_" not in answer.content.decode()
        scanner.head(link.removeprefix("https://auth.example.org"))

    browser = Browser(enforce_csrf_checks=True)
    followed = browser.get(link.removeprefix("https://auth.example.org"))
    cookie = followed.cookies["__Host-link"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
    assert cookie["max-age"] == 600
    assert submit(browser, "/password/reset/", password=NEW).status_code == 200


@pytest.mark.parametrize("address", ["/signup/confirm/", "/email/verify/", "/password/reset/", "/invite/", "/setup/"])
def test_an_invalid_link_gives_no_reason(address: str, page_browser: Browser, alice: Any) -> None:
    request_reset(email="alice@example.org", client=Client())
    kept = link_in(the_mail()).rstrip("/").rpartition("/")[2] if address != "/password/reset/" else "elr_" + "x" * 43
    follow(page_browser, f"{address}{kept}/")

    fields = {"email": "root@example.org", "password": NEW}
    refused = submit(page_browser, address, **(fields if address != "/signup/confirm/" else {}))

    assert refused.status_code == 400
    assert "no longer valid" in refused.content.decode()
    assert get_user_model().objects.count() == 1


def test_an_invitation_creates_an_account(page_browser: Browser) -> None:
    invite(email="bob@example.org", actor=None, client=Client())
    bare = follow(page_browser, link_in(the_mail()))

    assert "bob" not in page_browser.get(bare).content.decode()
    assert submit(page_browser, bare, password=PASSWORD).status_code == 200
    assert submit(page_browser, "/login/", identifier="bob@example.org", password=PASSWORD).status_code == 303


@pytest.mark.asvs("6.3.2")
def test_the_page_creates_the_first_administrator(page_browser: Browser) -> None:
    bare = follow(page_browser, new_bootstrap_link())

    made = submit(page_browser, bare, email="root@example.org", password=PASSWORD)
    again = submit(page_browser, bare, email="second@example.org", password=PASSWORD)

    assert (made.status_code, again.status_code) == (303, 400)
    assert [user.email for user in get_user_model().objects.filter(is_superuser=True)] == ["root@example.org"]


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("de", "ltr")])
def test_a_page_states_the_language_of_the_site_and_its_direction(language: str, direction: str, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]

    page = Browser(headers={"Accept-Language": language}).get("/login/")

    assert f'<html lang="{language}" dir="{direction}">' in page.content.decode()


def test_the_first_administrator_is_signed_in_without_a_mail(page_browser: Browser) -> None:
    bare = follow(page_browser, new_bootstrap_link())

    account = shown_next(page_browser, submit(page_browser, bare, email="root@example.org", password=PASSWORD))

    assert account.wsgi_request.user.email == "root@example.org"
    assert not OutboxMessage.objects.filter(template__contains="code").exists()


def test_the_first_administrator_can_sign_in_later_if_the_first_login_fails(
    page_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = follow(page_browser, new_bootstrap_link())
    with monkeypatch.context() as busy:
        busy.setattr("auth_core.login.journey.refuse_when_full", refuse)
        made = submit(page_browser, bare, email="root@example.org", password=PASSWORD)

    assert (made.status_code, "You can sign in now" in made.content.decode()) == (200, True)
    assert submit(page_browser, "/login/", identifier="root@example.org", password=PASSWORD).status_code == 303


def test_a_password_change_keeps_this_browser_signed_in(alice: Any, page_browser: Browser) -> None:
    log_in_on_page(page_browser)
    wrong = submit(page_browser, "/account/password/", current_password="wrong", new_password=NEW)
    changed = submit(page_browser, "/account/password/", current_password=PASSWORD, new_password=NEW)

    assert (wrong.status_code, changed.status_code) == (401, 303)
    assert page_browser.get("/account/").status_code == 200
    assert log_in_on_page(Browser(), password=NEW).status_code == 303


@pytest.mark.asvs("7.4.4")
def test_signing_out_ends_the_session(alice: Any, page_browser: Browser) -> None:
    log_in_on_page(page_browser)
    page = page_browser.get("/account/")
    assert "Sign out" in page.content.decode()

    logout = submit(page_browser, "/logout/", page=page)

    assert logout.headers["Location"] == "/logged-out/"
    assert logout.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert page_browser.get("/account/").status_code == 302
    assert page_browser.get("/logged-out/").status_code == 200
    assert page_browser.get("/logout/").status_code == 303


@pytest.mark.usefixtures("second_factor")
def test_signing_out_ends_an_unfinished_login(alice: Any, page_browser: Browser) -> None:
    log_in_on_page(page_browser)
    page = page_browser.get("/login/answer/")

    logout = submit(page_browser, "/logout/", page=page)

    assert logout.headers["Location"] == "/logged-out/"
    assert page_browser.get("/login/answer/").headers["Location"] == "/login/"
    assert not PendingLogin.objects.filter(closed_at=None).exists()


def test_a_closed_sign_up_says_so(page_browser: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SIGNUP": "invitation"}

    assert "by invitation" in page_browser.get("/signup/").content.decode()
    assert "/signup/" not in page_browser.get("/login/").content.decode()


def test_a_wrong_guess_counts_despite_atomic_requests(alice: Any) -> None:
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        codes = [log_in_on_page(Browser(), password="wrong").status_code for _guess in range(11)]
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    assert codes == [401] * 10 + [429]


def test_an_expired_challenge_is_not_shown(alice: Any, page_browser: Browser, second_factor: None) -> None:
    log_in_on_page(page_browser)

    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1), tick=False):
        assert page_browser.get("/login/answer/").headers["Location"] == "/login/"


@pytest.mark.parametrize("route", urls.urlpatterns, ids=lambda route: str(route.pattern))
def test_no_page_is_cached_or_inside_a_transaction(route: Any, page_browser: Browser) -> None:
    answer = page_browser.get("/" + str(route.pattern).replace("<str:token>", "elr_" + "x" * 43))

    assert answer.status_code in (200, 302, 303)
    assert "no-store" in answer.headers.get("Cache-Control", "") or answer.status_code == 302
    assert route.callback._non_atomic_requests


def forbidden(text: str) -> list[str]:
    """Return the inline scripts and styles of a template, which a strict policy would block."""
    return re.findall(r"<style|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:|https?://", text)


@pytest.mark.asvs("3.4.3")
def test_no_template_needs_more_than_the_policy_allows() -> None:
    pages = [path for path in TEMPLATES.rglob("*.html") if path.parent.name != "mail"]

    assert len(pages) > 5
    assert {path.name: forbidden(path.read_text()) for path in pages if forbidden(path.read_text())} == {}
    assert forbidden('<p style="x">') == [" style="]
    assert forbidden("<script>alert(1)</script>") == ["<script"]
    assert forbidden('<a onclick="x">') == [" onclick="]


@pytest.mark.postgresql
def test_an_index_finds_the_login_of_a_browser(alice: Any, page_browser: Browser, second_factor: None) -> None:
    log_in_on_page(page_browser)

    assert unindexed(lambda: page_browser.get("/login/answer/")) == []
    assert PendingSignup.objects.count() == 0


@pytest.mark.parametrize("onward", ["/x\x00", "/\x00", "/x\ny", "/x\x7f", "/\u202ex", "/x\u2028"])
def test_a_next_url_with_a_control_character_is_ignored(onward: str, alice: Any, page_browser: Browser) -> None:
    shown = page_browser.get("/login/", {"next": onward})
    done = log_in_on_page(page_browser, f"/login/?{urlencode({'next': onward})}")

    assert shown.status_code == 200
    assert done.status_code == 303
    assert done.headers["Location"] == reverse("core-pages:account")
