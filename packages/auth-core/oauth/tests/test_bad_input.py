"""Bad input gets the error of its specification, and writes nothing but what it spends and its entry."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.test import Client as Browser

from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.code import s256
from auth_core.oauth.models import Authorization
from auth_core.oauth.testing.factories import (
    REDIRECT_URI,
    VERIFIER,
    Registered,
    exchange,
    introspect,
    make_application,
    make_code,
    make_tokens,
    post_form,
    refresh,
    userinfo,
)
from people import asked, browser_of, encoded
from test_redirect_uris import NOT_REGISTERED, REGISTERED

pytestmark = pytest.mark.django_db


def rows() -> dict[str, list[Any]]:
    """Return every row of this app and of django-oauth-toolkit."""
    models = [model for label in ("auth_oauth", "oauth2_provider") for model in apps.get_app_config(label).get_models()]
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models}


@pytest.fixture
def written(events: list[Event]) -> Callable[..., Any]:
    """A block that may change the named columns of authorizations and record the named events, and nothing else."""

    @contextmanager
    def check(*columns: str, entries: tuple[OAuthEvent, ...] = ()) -> Iterator[None]:
        before, recorded = rows(), len(events)
        yield
        after = rows()
        for authorizations in (before["Authorization"], after["Authorization"]):
            for row in authorizations:
                for column in columns:
                    row.pop(column)
        assert after == before
        assert [event.name for event in events[recorded:]] == list(entries)

    return check


REFUSED = (OAuthEvent.REQUEST_REFUSED,)


def error_of(response: Any) -> tuple[int, str]:
    """Return the status and the error of a response."""
    return response.status_code, response.json()["error"]


def form_of(application: Registered, **parameters: str) -> dict[str, Any]:
    """Return an exchange of a code."""
    return {
        "grant_type": "authorization_code",
        "client_id": application.client_id,
        "client_secret": application.secret,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        **parameters,
    }


@pytest.mark.asvs("15.3.7")
@pytest.mark.parametrize(
    "name", ["grant_type", "client_id", "client_secret", "redirect_uri", "code_verifier", "code", "scope", "anything"]
)
def test_a_repeated_parameter_at_the_token_endpoint(name: str, web: Registered, alice: Any, written: Any) -> None:
    form = form_of(web, code=make_code(web, alice))
    value = form.get(name, "x")

    with written():
        for second in (value, "", "other"):
            assert error_of(post_form("/oauth/token", {**form, name: [value, second]})) == (400, "invalid_request")
    assert post_form("/oauth/token", form).status_code == 200


@pytest.mark.asvs("15.3.7")
@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
@pytest.mark.parametrize("name", ["token", "token_type_hint", "client_id"])
def test_a_repeated_parameter_at_another_endpoint(
    path: str, name: str, web: Registered, alice: Any, written: Any
) -> None:
    token = make_tokens(web, alice)["access_token"]
    form: dict[str, Any] = {"client_id": web.client_id, "client_secret": web.secret, "token": token}
    value = form.get(name, "access_token")

    with written():
        assert error_of(post_form(path, {**form, name: [value, value]})) == (400, "invalid_request")
        assert error_of(post_form("/oauth/userinfo", {"access_token": [token, token]})) == (400, "invalid_request")
    assert introspect(web, token)["active"]


@pytest.mark.asvs("15.3.7")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "anything"])
def test_a_repeated_parameter_at_the_pages(name: str, web: Registered, alice: Any, written: Any) -> None:
    form = asked(web)
    value = form.get(name, "x")
    query = encoded({**form, name: [value, value]})
    browsers = (browser_of(alice), Browser())

    with written():
        for browser in browsers:
            for path in ("/oauth/authorize", "/oauth/logout"):
                assert browser.get(f"{path}?{query}").status_code == 400
                posted = browser.post(path, query, content_type="application/x-www-form-urlencoded")
                assert posted.status_code == 400


def basic(application: Registered) -> dict[str, str]:
    """Return the header of a client."""
    pair = base64.b64encode(f"{application.client_id}:{application.secret}".encode()).decode()
    return {"HTTP_AUTHORIZATION": f"Basic {pair}"}


def test_two_authentications_of_a_client(web: Registered, alice: Any, written: Any) -> None:
    form = form_of(web, code=make_code(web, alice))
    without_secret = {name: value for name, value in form.items() if name != "client_secret"}

    with written():
        assert error_of(post_form("/oauth/token", form, **basic(web))) == (400, "invalid_request")
        another = {**without_secret, "client_id": make_id()}
        assert error_of(post_form("/oauth/token", another, **basic(web))) == (400, "invalid_request")
    assert post_form("/oauth/token", without_secret, **basic(web)).status_code == 200


def make_id() -> str:
    """Return the id of a client that does not exist."""
    return "a" * 32


def test_a_wrong_secret_spends_nothing(web: Registered, alice: Any, written: Any) -> None:
    form = form_of(web, code=make_code(web, alice))

    with written(entries=(OAuthEvent.CLIENT_FAILED,) * 2):
        assert error_of(post_form("/oauth/token", {**form, "client_secret": "x" * 48})) == (401, "invalid_client")
        assert error_of(post_form("/oauth/token", {**form, "client_secret": ""})) == (401, "invalid_client")
    assert post_form("/oauth/token", form).status_code == 200


def test_a_secret_in_the_url_is_not_read(web: Registered, alice: Any, written: Any) -> None:
    form = form_of(web, code=make_code(web, alice))
    query = encoded({"client_secret": form["client_secret"]})
    body = {name: value for name, value in form.items() if name != "client_secret"}

    with written(entries=(OAuthEvent.CLIENT_FAILED,)):
        assert error_of(post_form(f"/oauth/token?{query}", body)) == (401, "invalid_client")
    assert post_form("/oauth/token", form).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_a_body_that_is_no_form(path: str, content_type: str, web: Registered, alice: Any, written: Any) -> None:
    body = f'{{"grant_type": "authorization_code", "token": "x", "code": "{make_code(web, alice)}"}}'

    with written():
        response = Browser().generic("POST", path, body, content_type=content_type, **basic(web))
        assert error_of(response) == (400, "invalid_request")


def test_a_wrong_verifier_and_then_the_right_one(web: Registered, alice: Any, written: Any) -> None:
    code = make_code(web, alice)

    with written("code_spent_at", entries=REFUSED):
        assert error_of(exchange(web, code, code_verifier="w" * 43)) == (400, "invalid_grant")
    with written("ended_at", "ended_reason", entries=(OAuthEvent.CODE_REPLAYED, *REFUSED)):
        assert error_of(exchange(web, code)) == (400, "invalid_grant")


@pytest.mark.asvs("10.4.6")
@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        ("v" * 42, "invalid_grant"),
        ("v" * 129, "invalid_grant"),
        ("v" * 42 + "=", "invalid_grant"),
        ("v" * 42 + "é", "invalid_grant"),
        ("", "invalid_request"),
    ],
)
def test_a_verifier_that_is_none(verifier: str, error: str, web: Registered, alice: Any, written: Any) -> None:
    code = make_code(web, alice)

    with written("code_spent_at", entries=REFUSED):
        assert error_of(exchange(web, code, code_verifier=verifier)) == (400, error)


@pytest.mark.parametrize("verifier", ["v" * 43, "v" * 128, "-._~" + "0" * 60])
def test_a_verifier_of_any_allowed_length(verifier: str, web: Registered, alice: Any) -> None:
    code = make_code(web, alice, code_challenge=s256(verifier))

    assert exchange(web, code, code_verifier=verifier).status_code == 200


def test_an_empty_parameter_counts_as_none(web: Registered, alice: Any, written: Any) -> None:
    code = make_code(web, alice)

    with written(entries=REFUSED):
        assert error_of(exchange(web, "")) == (400, "invalid_request")
    assert exchange(web, code, scope="", redirect_uri="", resource="").status_code == 200


def test_a_code_of_another_client(web: Registered, alice: Any, written: Any) -> None:
    code, other = make_code(web, alice), make_application()

    with written(entries=REFUSED):
        assert error_of(exchange(other, code)) == (400, "invalid_grant")
    assert exchange(web, code).status_code == 200


CHANGES: dict[str, Callable[[str], str]] = {
    "truncated": lambda text: text[:-1],
    "half": lambda text: text[: len(text) // 2],
    "the prefix alone": lambda text: text[:4],
    "extended": lambda text: f"{text}A",
    "doubled": lambda text: text * 2,
    "after a space": lambda text: f" {text}",
    "before a line break": lambda text: f"{text}\n",
    "in capitals": lambda text: text.upper(),
    "with another last letter": lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
    "outside of ASCII": lambda text: f"{text[:-1]}é",
    "very long": lambda text: text + "A" * 20_000,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_code_that_was_changed(change: Callable[[str], str], web: Registered, alice: Any, written: Any) -> None:
    code = make_code(web, alice)

    with written(entries=REFUSED):
        assert error_of(exchange(web, change(code))) == (400, "invalid_grant")
    assert exchange(web, code).status_code == 200


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_refresh_token_that_was_changed(change: Callable[[str], str], public: bool, alice: Any, written: Any) -> None:
    application = make_application(public=public)
    token = make_tokens(application, alice)["refresh_token"]

    with written(entries=REFUSED):
        assert error_of(refresh(application, change(token))) == (400, "invalid_grant")
    assert refresh(application, token).status_code == 200


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"after a space", "before a line break"}))
def test_an_access_token_that_was_changed(name: str, token_format: str, alice: Any, written: Any) -> None:
    change = CHANGES[name]
    application = make_application(token_format=token_format)
    token = make_tokens(application, alice)["access_token"]

    with written():
        assert introspect(application, change(token)) == {"active": False}
        assert userinfo(change(token).encode().decode("latin-1")).status_code == 401
        assert application.post("/oauth/revoke", token=change(token)).status_code == 200
    assert userinfo(token).status_code == 200


@pytest.mark.asvs("10.4.1")
@pytest.mark.parametrize("prompt", [None, "none"])
def test_an_address_that_is_not_registered(prompt: str | None, alice: Any, written: Any) -> None:
    """Variants of the registered addresses, such as another letter case of the host."""
    application = make_application(redirect_uris=" ".join(REGISTERED))
    browser = browser_of(alice)

    with written():
        pages = {
            uri: browser.get("/oauth/authorize", asked(application, redirect_uri=uri, prompt=prompt))
            for uri in NOT_REGISTERED
        }

    assert len(pages) >= 25
    assert {page.status_code for page in pages.values()} == {400}
    assert [uri for uri, page in pages.items() if "Location" in page.headers or b"http-equiv" in page.content] == []
    assert not Authorization.objects.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
@pytest.mark.parametrize("port", ["", ":1", ":8400", ":65535"])
def test_a_loopback_address_of_any_port(host: str, port: str, alice: Any) -> None:
    """RFC 8252 section 7.3. The path and the host are compared."""
    native = make_application(public=True, redirect_uris=f"http://{host}:49152/cb")
    browser = browser_of(alice)

    assert browser.get("/oauth/authorize", asked(native, redirect_uri=f"http://{host}{port}/cb")).status_code == 200
    assert browser.get("/oauth/authorize", asked(native, redirect_uri=f"http://{host}{port}/c")).status_code == 400
    assert browser.get("/oauth/authorize", asked(native, redirect_uri=f"https://{host}{port}/cb")).status_code == 400


@pytest.mark.asvs("10.7.1")
@pytest.mark.parametrize("value", ["auto", "force"])
def test_a_parameter_of_the_toolkit_skips_no_consent(value: str, web: Registered, alice: Any) -> None:
    """django-oauth-toolkit takes ``approval_prompt`` from the address."""
    page = browser_of(alice).get("/oauth/authorize", asked(web, approval_prompt=value))

    assert page.status_code == 200
    assert b'name="decision"' in page.content
