"""How applications authenticate, and what the endpoints read of a request."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.utils import timezone
from oauth2_provider.models import get_application_model

from auth_core.crypto.encryption import new_key
from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.hashers import ALGORITHM, ClientSecretHasher, new_client_secret
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.testing.factories import Registered, make_application, make_code, post_form

pytestmark = pytest.mark.django_db

GRANT = "grant_type=client_credentials"


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def ask(service: Registered, header: str = "", body: str = GRANT) -> Any:
    return post_form("/oauth/token", body, **({"HTTP_AUTHORIZATION": header} if header else {}))


def test_a_secret_is_accepted_in_the_header_and_in_the_body(service: Registered) -> None:
    assert ask(service, basic(service.client_id, service.secret)).status_code == 200
    assert service.post("/oauth/token", grant_type="client_credentials").status_code == 200


def test_the_id_in_the_body_may_repeat_that_of_the_header(service: Registered) -> None:
    header = basic(service.client_id, service.secret)

    assert ask(service, header, f"{GRANT}&client_id={service.client_id}").status_code == 200
    assert ask(service, header, f"{GRANT}&client_id=another").json()["error"] == "invalid_request"


def test_credentials_in_the_header_are_decoded_as_in_a_form() -> None:
    application = make_application(grant="client-credentials", client_id="a b:c")
    header = basic(quote_plus("a b:c"), application.secret)

    assert ask(application, header).status_code == 200


def test_two_authentications_are_refused(service: Registered) -> None:
    header = basic(service.client_id, service.secret)

    response = ask(service, header, f"{GRANT}&client_secret={service.secret}")

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic YQ==",
        "Bearer x",
        "Basic " + "A" * 5000,
        "Negotiate YTpi",
        basic("a", ""),
        basic("\xff", "b"),
    ],
)
def test_a_malformed_header_is_an_unknown_client(header: str) -> None:
    response = post_form("/oauth/token", GRANT, HTTP_AUTHORIZATION=header)

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_secret_is_challenged_by_the_scheme_that_was_used(service: Registered, events: list[Event]) -> None:
    response = ask(service, basic(service.client_id, "x" * 48))

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="oauth"'
    assert events[-1].name is OAuthEvent.CLIENT_FAILED
    assert events[-1].application == service.policy.id


def test_an_unknown_client_and_a_wrong_secret_look_the_same(service: Registered) -> None:
    wrong = ask(service, basic(service.client_id, "x" * 48))
    unknown = ask(service, basic("unknown", "x" * 48))

    assert wrong.content == unknown.content
    assert wrong.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"]


def test_an_application_authenticates_in_its_own_way() -> None:
    application = make_application(grant="client-credentials", auth_method="client_secret_basic")

    assert application.post("/oauth/token", grant_type="client_credentials").json()["error"] == "invalid_client"
    assert ask(application, basic(application.client_id, application.secret)).status_code == 200


@pytest.mark.asvs("10.4.10")
def test_a_confidential_application_does_not_come_in_without_a_secret(web: Registered, alice: Any) -> None:
    body = {"grant_type": "authorization_code", "code": make_code(web, alice), "client_id": web.client_id}

    assert post_form("/oauth/token", body).json()["error"] == "invalid_client"


def test_two_secrets_overlap_while_one_replaces_the_other(service: Registered) -> None:
    second = new_client_secret()
    row = get_application_model().objects.get()
    ApplicationPolicy.objects.update(
        previous_secret=row.client_secret, previous_secret_until=timezone.now() + timedelta(days=1)
    )
    row.client_secret = second
    row.save()

    assert ask(service, basic(service.client_id, service.secret)).status_code == 200
    assert ask(service, basic(service.client_id, second)).status_code == 200
    ApplicationPolicy.objects.update(previous_secret_until=timezone.now())
    assert ask(service, basic(service.client_id, service.secret)).status_code == 401


def test_a_disabled_application_is_refused_at_the_next_request(service: Registered) -> None:
    assert service.post("/oauth/token", grant_type="client_credentials").status_code == 200

    ApplicationPolicy.objects.update(is_active=False)

    assert service.post("/oauth/token", grant_type="client_credentials").json()["error"] == "invalid_client"


def test_a_thousand_wrong_secrets_do_not_lock_the_application_out(service: Registered) -> None:
    statuses = [ask(service, basic(service.client_id, "x" * 48)).status_code for _guess in range(120)]

    assert statuses[:100] == [401] * 100
    assert set(statuses[100:]) == {429}
    assert ask(service, basic(service.client_id, service.secret)).status_code == 200


def test_a_secret_is_hashed_fast_and_under_a_key(service: Registered, settings: Any) -> None:
    stored = get_application_model().objects.get().client_secret

    assert stored.startswith(f"{ALGORITHM}$test$")
    assert ClientSecretHasher().verify(service.secret, stored)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"test": new_key()}}
    assert not ClientSecretHasher().verify(service.secret, stored)


def test_saving_an_application_again_keeps_its_secret(service: Registered) -> None:
    row = get_application_model().objects.get()
    row.name = "Renamed"
    row.save()

    assert service.post("/oauth/token", grant_type="client_credentials").status_code == 200


def test_a_former_hash_is_replaced_when_the_secret_is_used(service: Registered, settings: Any) -> None:
    get_application_model().objects.update(client_secret=f"pbkdf2_sha256$1$a${'x' * 44}")
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"new": new_key(), **settings.AUTH_CORE["FIELD_KEYS"]}}
    hasher = ClientSecretHasher()
    get_application_model().objects.update(client_secret=hasher.encode(service.secret, "test"))

    assert service.post("/oauth/token", grant_type="client_credentials").status_code == 200

    assert not hasher.must_update(get_application_model().objects.get().client_secret)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (f"{GRANT}&{GRANT}", 400),
        ("", 400),
        (f"{GRANT}&scope=a&scope=b", 400),
        ("grant_type=%FF", 400),
        ("grant_type=%00", 400),
        ("&".join(f"a{number}=1" for number in range(200)), 400),
        (f"{GRANT}&filler={'x' * 70_000}", 413),
    ],
)
def test_a_malformed_body_is_refused(body: str, status: int, db: None) -> None:
    response = post_form("/oauth/token", body)

    assert response.status_code == status
    assert response.json()["error"] in ("invalid_request", "invalid_client")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_a_form_is_read(content_type: str, service: Registered, client: Any) -> None:
    body = '{"grant_type": "client_credentials"}'

    response = client.generic(
        "POST",
        "/oauth/token",
        body,
        content_type=content_type,
        HTTP_AUTHORIZATION=basic(service.client_id, service.secret),
    )

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_parameters_in_the_url_are_not_read(service: Registered) -> None:
    query = f"?client_id={service.client_id}&client_secret={service.secret}&{GRANT}"

    assert post_form(f"/oauth/token{query}", "scope=").status_code == 401
    assert service.post(f"/oauth/token?{GRANT}").json()["error"] == "invalid_request"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_other_methods_are_refused(path: str, client: Any) -> None:
    assert client.get(path).status_code == 405
    assert client.put(path).status_code == 405


@pytest.mark.asvs("10.4.4")
@pytest.mark.parametrize(
    ("grant_type", "error"),
    [
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:device_code", "unsupported_grant_type"),
        ("client_credentials", "unauthorized_client"),
        ("", "invalid_request"),
    ],
)
def test_an_unknown_grant_is_refused_by_its_error(
    grant_type: str, error: str, web: Registered, events: list[Event]
) -> None:
    response = web.post("/oauth/token", grant_type=grant_type, username="a", password="b")

    assert (response.status_code, response.json()["error"]) == (400, error)
    assert not grant_type or events[-1].name is OAuthEvent.REQUEST_REFUSED


def test_a_script_of_a_registered_origin_reads_the_answers(client: Any) -> None:
    make_application(allowed_origins="https://spa.example")

    for origin, allowed in (("https://spa.example", True), ("https://spa.example.evil", False), ("https://spa", False)):
        answer = client.options("/oauth/userinfo", HTTP_ORIGIN=origin)
        assert answer.status_code == 204
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    answer = client.get("/oauth/userinfo", HTTP_ORIGIN="https://spa.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://spa.example"
    assert "Origin" in answer.headers["Vary"]


def test_a_client_that_is_not_known_is_refused_for_null_bytes_and_long_ids(db: None) -> None:
    for client_id in ("a" * 300, "a%00b"):
        response = post_form("/oauth/token", f"{GRANT}&client_id={client_id}")
        assert response.status_code in (400, 401)
