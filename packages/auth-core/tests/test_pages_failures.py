"""Pages during a failure, and pages that repeat a mail."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.test import Client as Browser
from django.test import RequestFactory

from auth_core.flows.account_creation import create_account
from auth_core.models import EmailAddress
from auth_core.pages import errors
from auth_core.testing.browsers import submit
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered, link_in, the_mail

pytestmark = pytest.mark.django_db

HTML = {"HTTP_ACCEPT": "text/html"}


def refuse(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    """Fail like a lost database."""
    raise OperationalError("the database system is shutting down")


@pytest.mark.parametrize("address", ["/account/", "/account/password/", "/login/answer/"])
def test_a_page_with_a_lost_database_says_so_without_a_query(address: str, alice: Any) -> None:
    browser = Browser(**HTML)
    browser.cookies["__Host-login"] = "elb_" + "x" * 43
    browser.post("/login/", {"identifier": "alice@example.org", "password": PASSWORD})
    browser.cookies["__Host-login"] = "elb_" + "x" * 43

    with connection.execute_wrapper(refuse):
        answer = browser.get(address)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Temporarily unavailable" in answer.content.decode()
    assert browser.get("/account/").status_code == 200


def test_a_login_with_a_lost_database_is_not_a_wrong_password(alice: Any) -> None:
    browser = Browser(enforce_csrf_checks=True)
    page = browser.get("/login/")

    with connection.execute_wrapper(refuse):
        answer = submit(browser, "/login/", page=page, identifier="alice@example.org", password=PASSWORD)

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert "Incorrect" not in answer.content.decode()


@pytest.mark.parametrize(("fault", "status"), [(OperationalError("away"), 503), (ValueError("secret cause"), 500)])
def test_the_500_handler_recognises_a_lost_database(fault: Exception, status: int) -> None:
    request = RequestFactory().get("/anything/", **HTML)

    try:
        raise fault
    except type(fault):
        answer = errors.server_error(request)

    assert (answer.status_code, "Retry-After" in answer.headers) == (status, status == 503)
    assert str(fault) not in answer.content.decode()


def test_a_program_gets_a_problem_document_instead_of_a_page() -> None:
    request = RequestFactory().get("/api/v1/me/", **HTML)

    try:
        raise OperationalError
    except OperationalError:
        answer = errors.server_error(request)

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert b'"unavailable"' in answer.content


def test_the_repeated_sign_up_mail_has_the_valid_code() -> None:
    browser = Browser(enforce_csrf_checks=True)
    code_page = browser.get(submit(browser, "/signup/", email="bob@example.org", password=PASSWORD).headers["Location"])
    first = code_in(the_mail())

    again = browser.get(submit(browser, "/email/resend/", page=code_page, email="bob@example.org").headers["Location"])
    second = code_in(the_mail())
    stale = (
        submit(browser, "/signup/code/", page=again, email="bob@example.org", code=first) if first != second else None
    )
    done = submit(browser, "/signup/code/", page=again, email="bob@example.org", code=second)

    assert again.status_code == 200
    assert stale is None or stale.status_code == 401
    assert done.status_code == 200
    assert get_user_model().objects.count() == 1


def test_an_account_with_an_unverified_address_can_repeat_the_mail() -> None:
    create_account(email="bob@example.org", password=PASSWORD, verified=False)
    browser = Browser(enforce_csrf_checks=True)
    submit(browser, "/login/", identifier="bob@example.org", password=PASSWORD)
    account = browser.get("/account/")
    assert "not confirmed" in account.content.decode()

    submit(browser, "/email/resend/", page=account, email="bob@example.org")
    bare = browser.get(link_in(the_mail()).removeprefix("https://auth.example.org")).headers["Location"]
    proven = submit(browser, bare)

    assert proven.status_code == 200
    assert EmailAddress.objects.get().verified_at is not None
    assert "not confirmed" not in browser.get("/account/").content.decode()


@pytest.mark.asvs("6.3.8")
def test_a_repeated_mail_does_not_reveal_accounts(alice: Any) -> None:
    create_account(email="bob@example.org", password=PASSWORD, verified=False)

    def response_for(email: str) -> tuple[int, str]:
        browser = Browser()
        answer = browser.get(submit(browser, "/email/resend/", email=email).headers["Location"])
        return answer.status_code, re.sub(rf'value="[^"]*"|{email}', "", answer.content.decode())

    assert response_for("alice@example.org") == response_for("nobody@example.org") == response_for("bob@example.org")
    assert [message.to for message in delivered()] == [["bob@example.org"]]
