"""What signs no one in. Each test first shows that the right answer does, or changes one thing of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.test import Client as Browser
from django.utils import timezone
from joserfc.jwk import ECKey

from auth_core.events import Event
from auth_core.federation.events import FederationEvent
from auth_core.federation.models import Connection
from auth_core.federation.testing.browsers import Returned, begin, sign_in_at, visit
from auth_core.federation.testing.providers import (
    CLIENT_ID,
    CLIENT_SECRET,
    FakeApple,
    FakeGitHub,
    FakeGoogle,
    FakeMicrosoft,
    FakeProvider,
)
from auth_core.models import EmailAddress
from auth_core.people.locking import disable_account, lock_account
from auth_core.testing.factories import make_user
from conftest import configure

pytestmark = pytest.mark.django_db


def refused(answer: Any, status: int = 403) -> bool:
    """Return whether the site refused with a page that has a way on, and signed no one in."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.content.decode()}"
    page = answer.content.decode()
    assert "/login/" in page
    assert answer.headers["Cache-Control"] == "no-store"
    return "_auth_user_id" not in answer.client.session


def reasons(events: list[Event]) -> list[str]:
    """Return why sign-ins were refused, as the trail has it."""
    return [event.reason for event in events if event.name is FederationEvent.LOGIN_REFUSED]


def with_query(returned: Returned, **changes: str | None) -> Returned:
    """Return an answer whose parameters differ. One that is ``None`` is left out."""
    parts = urlsplit(returned.address)
    values = {**dict(parse_qsl(parts.query)), **changes}
    query = urlencode({name: value for name, value in values.items() if value is not None})
    return Returned(f"{parts.path}?{query}", None)


# --- The state, the browser and the provider ------------------------------------------------------------------------------


@pytest.mark.asvs("10.1.2")
def test_the_state_of_another_browser(provide: Any, browser: Browser, events: list[Event]) -> None:
    provide(FakeProvider)
    returned = visit(begin(browser, "openid"))
    other = Browser()
    begin(other, "openid")

    assert refused(returned.deliver(other), 401)
    assert refused(returned.deliver(Browser()), 401)
    assert reasons(events) == ["state", "state"]
    assert returned.deliver(browser).status_code == 303


@pytest.mark.asvs("10.1.2")
def test_the_state_of_another_provider(provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider, "first")
    provide(FakeProvider, "second")
    returned = visit(begin(browser, "first"))
    moved = Returned(returned.address.replace("/first/", "/second/"), None)

    assert refused(moved.deliver(browser), 401)
    assert fake.count("/token") == 0
    assert returned.deliver(browser).status_code == 303


@pytest.mark.parametrize("state", ["", "wrong", None, "é", "x" * 5000])
def test_another_state(state: str | None, provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    returned = visit(begin(browser, "openid"))

    assert refused(with_query(returned, state=state).deliver(browser), 401)
    assert fake.count("/token") == 0


def test_an_answer_works_once(provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    returned = visit(begin(browser, "openid"))
    cookie = browser.cookies["__Host-federation"].value

    assert returned.deliver(browser).status_code == 303
    browser.cookies["__Host-federation"] = cookie
    again = returned.deliver(browser)

    assert again.status_code == 401
    assert fake.count("/token") == 1


def test_an_attempt_that_took_too_long(provide: Any, browser: Browser, clock: Any) -> None:
    provide(FakeProvider)
    returned = visit(begin(browser, "openid"))
    clock.forward(minutes=10, seconds=1)

    assert refused(returned.deliver(browser), 401)


@pytest.mark.parametrize("value", ["", "v1.test.AAAA", "x" * 9000, "é"])
def test_a_cookie_that_is_not_ours(value: str, provide: Any, browser: Browser) -> None:
    provide(FakeProvider)
    returned = visit(begin(browser, "openid"))
    browser.cookies["__Host-federation"] = value

    assert refused(returned.deliver(browser), 401)


# --- The code -------------------------------------------------------------------------------------------------------------


@pytest.mark.asvs("10.2.1")
@pytest.mark.parametrize("kind", [FakeProvider, FakeGitHub])
def test_a_code_of_another_sign_in_is_injected(
    kind: type[FakeProvider], provide: Any, browser: Browser, events: list[Event]
) -> None:
    """PKCE binds the code to the attempt, at a provider without ID tokens as well."""
    fake = provide(kind)
    stolen = dict(parse_qsl(urlsplit(visit(begin(Browser(), fake.kind)).address).query))["code"]
    returned = visit(begin(browser, fake.kind))

    assert refused(with_query(returned, code=stolen).deliver(browser))
    assert reasons(events) == ["code"]


@pytest.mark.asvs("10.5.1")
def test_a_token_of_another_sign_in_is_injected(provide: Any, browser: Browser, events: list[Event]) -> None:
    """The nonce binds the ID token to the attempt, even if the provider ignores PKCE."""
    fake = provide(FakeProvider)
    returned = visit(begin(browser, "openid"))
    fake.claims = {"nonce": "of-another-sign-in"}

    assert refused(returned.deliver(browser))
    assert reasons(events) == ["nonce"]


def test_the_request_binds_state_nonce_and_verifier(provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    sign_in_at(browser, "openid")
    first = fake.asked
    sign_in_at(Browser(), "openid")

    assert first["code_challenge_method"] == "S256"
    assert first["redirect_uri"] == "https://auth.example.org/federation/openid/callback/"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != fake.asked[name]


@pytest.mark.asvs("10.2.3")
@pytest.mark.parametrize(
    ("kind", "scopes"),
    [
        (FakeProvider, "openid email profile"),
        (FakeGoogle, "openid email profile"),
        (FakeMicrosoft, "openid email profile"),
        (FakeApple, "name email"),
        (FakeGitHub, "read:user user:email"),
    ],
)
def test_nothing_but_who_a_person_is_is_asked_for(
    kind: type[FakeProvider], scopes: str, provide: Any, browser: Browser
) -> None:
    fake = provide(kind)

    sign_in_at(browser, fake.kind)

    assert fake.asked["scope"] == scopes


# --- RFC 9207 ------------------------------------------------------------------------------------------------------------


@pytest.mark.asvs("10.2.2")
@pytest.mark.parametrize("iss", ["https://evil.example", ""])
def test_an_answer_that_names_another_issuer(iss: str, provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    fake.metadata = {"authorization_response_iss_parameter_supported": True}
    fake.redirected = {"iss": iss or None}

    assert refused(sign_in_at(browser, "openid"))
    assert fake.count("/token") == 0

    fake.redirected = {"iss": fake.issuer}
    assert sign_in_at(browser, "openid").status_code == 303


def test_an_issuer_in_the_answer_counts_without_a_promise(provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    fake.redirected = {"iss": "https://evil.example"}

    assert refused(sign_in_at(browser, "openid"))


# --- ID tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.asvs("6.8.2")
@pytest.mark.parametrize("advertised", [["ES256"], ["none", "ES256"], ["none"]])
def test_an_unsigned_token(advertised: list[str], provide: Any, browser: Browser, events: list[Event]) -> None:
    fake = provide(FakeProvider)
    fake.metadata = {"id_token_signing_alg_values_supported": advertised}
    fake.header = {"alg": "none"}

    assert refused(sign_in_at(browser, "openid"))
    assert reasons(events) == ["algorithm"]


@pytest.mark.asvs("6.8.2")
@pytest.mark.parametrize("form", ["pem", "jwk", "secret"])
def test_hs256_with_the_public_key(form: str, provide: Any, browser: Browser, events: list[Event]) -> None:
    fake = provide(FakeProvider)
    fake.metadata = {"id_token_signing_alg_values_supported": ["ES256", "HS256"]}
    fake.header = {"alg": "HS256"}
    published = json.dumps(fake.public_key()).encode()
    secrets = {"pem": fake.key.as_pem(private=False), "jwk": published, "secret": CLIENT_SECRET.encode()}
    fake.signing_key = secrets[form]

    assert refused(sign_in_at(browser, "openid"))
    assert reasons(events) == ["algorithm"]


def test_hs256_for_a_provider_that_is_configured_so_by_name(provide: Any, browser: Browser, settings: Any) -> None:
    fake = provide(FakeProvider, algorithms=["HS256"])
    fake.metadata = {"id_token_signing_alg_values_supported": ["HS256"]}
    fake.header = {"alg": "HS256", "kid": None}
    fake.signing_key = CLIENT_SECRET.encode()
    assert sign_in_at(browser, "openid").status_code == 303

    fake.signing_key = b"another secret that is as long as it must be"
    assert refused(sign_in_at(Browser(), "openid"))
    fake.header, fake.signing_key = {}, None
    assert refused(sign_in_at(Browser(), "openid"))


def test_a_token_of_an_unknown_key(provide: Any, browser: Browser, events: list[Event]) -> None:
    fake = provide(FakeProvider)
    fake.signing_key = ECKey.generate_key("P-256")

    assert refused(sign_in_at(browser, "openid"))
    assert reasons(events) == ["signature"]


_NOW = timezone.now

#: Claims that are wrong, and the reason in the trail.
WRONG_CLAIMS: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "no nonce": (lambda: {"nonce": None}, "nonce"),
    "a list as the nonce": (lambda: {"nonce": ["a"]}, "nonce"),
    "another issuer": (lambda: {"iss": "https://evil.example"}, "iss"),
    "the issuer with a slash": (lambda: {"iss": "http://127.0.0.1/"}, "iss"),
    "a foreign audience": (lambda: {"aud": "another-site"}, "aud"),
    "no audience": (lambda: {"aud": None}, "aud"),
    "a number as the audience": (lambda: {"aud": 7}, "aud"),
    "two audiences without azp": (lambda: {"aud": [CLIENT_ID, "another-site"]}, "azp"),
    "two audiences and the azp of the other": (lambda: {"aud": [CLIENT_ID, "b"], "azp": "b"}, "azp"),
    "the azp of another site": (lambda: {"azp": "another-site"}, "azp"),
    "another at_hash": (lambda: {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at_hash"),
    "expired": (lambda: {"exp": int((_NOW() - timedelta(seconds=11)).timestamp())}, "exp"),
    "no expiry": (lambda: {"exp": None}, "exp"),
    "a text as the expiry": (lambda: {"exp": "9999999999"}, "exp"),
    "issued in the future": (lambda: {"iat": int((_NOW() + timedelta(minutes=1)).timestamp())}, "iat"),
    "not valid yet": (lambda: {"nbf": int((_NOW() + timedelta(minutes=1)).timestamp())}, "nbf"),
    "no subject": (lambda: {"sub": None}, "sub"),
    "an empty subject": (lambda: {"sub": ""}, "sub"),
    "a number as the subject": (lambda: {"sub": 7}, "sub"),
    "a subject of 256 characters": (lambda: {"sub": "x" * 256}, "sub"),
    "a NUL in the subject": (lambda: {"sub": "a\x00b"}, "sub"),
}


@pytest.mark.asvs("10.5.1")
@pytest.mark.asvs("10.5.4")
@pytest.mark.asvs("6.8.2")
@pytest.mark.parametrize("name", WRONG_CLAIMS)
def test_a_claim_that_is_wrong(name: str, provide: Any, browser: Browser, events: list[Event]) -> None:
    wrong, reason = WRONG_CLAIMS[name]
    fake = provide(FakeProvider)
    fake.claims = wrong()

    assert refused(sign_in_at(browser, "openid"))
    assert reasons(events) == [reason]
    assert not Connection.objects.exists()


def test_a_clock_that_differs_by_ten_seconds(provide: Any, browser: Browser) -> None:
    fake = provide(FakeProvider)
    fake.claims = {
        "exp": int((timezone.now() - timedelta(seconds=5)).timestamp()),
        "iat": int((timezone.now() + timedelta(seconds=5)).timestamp()),
    }

    assert sign_in_at(browser, "openid").status_code == 303


@pytest.mark.parametrize("token", ["", "a.b.c", None, 7, "x" * 20_000, "e30.e30.", {"a": 1}])
def test_something_else_than_a_token(token: Any, provide: Any, browser: Browser, monkeypatch: Any) -> None:
    fake = provide(FakeProvider)
    monkeypatch.setattr(fake, "id_token", lambda **_values: token)

    assert refused(sign_in_at(browser, "openid"))


@pytest.mark.asvs("10.5.3")
def test_metadata_of_another_issuer(provide: Any, browser: Browser, settings: Any) -> None:
    fake = provide(FakeProvider)
    fake.metadata = {"issuer": "https://evil.example"}

    assert browser.post("/federation/openid/login/").status_code == 503


# --- Microsoft -----------------------------------------------------------------------------------------------------------


@pytest.mark.asvs("6.8.1")
@pytest.mark.parametrize("tid", ["72f988bf-86f1-41af-91ab-2d7cd011db47", None, ""])
def test_a_foreign_tenant(tid: str | None, provide: Any, browser: Browser, events: list[Event]) -> None:
    fake = provide(FakeMicrosoft)
    fake.claims = {"tid": tid}

    assert refused(sign_in_at(browser, "microsoft"))
    assert reasons(events) == ["tid"]


def test_the_address_that_microsoft_states_is_never_believed(
    provide: Any, browser: Browser, events: list[Event]
) -> None:
    person = make_user("alice@example.org")
    fake = provide(FakeMicrosoft, trusted_domains=["*"])
    fake.claims = {"email_verified": True, "upn": "alice@example.org", "xms_edov": True}

    assert refused(sign_in_at(browser, "microsoft"))
    assert reasons(events) == ["address_not_proved"]
    assert not Connection.objects.filter(user=person).exists()


def test_a_changed_preferred_username_changes_nothing(provide: Any, browser: Browser, alice: Any) -> None:
    fake = provide(FakeMicrosoft)
    add(alice, "microsoft", fake.issuer, f"{fake.tenant}/{fake.person['oid']}")
    fake.person |= {"preferred_username": "bob@contoso.example", "email": "bob@example.org", "sub": "another"}
    make_user("bob@example.org")

    assert sign_in_at(browser, "microsoft").status_code == 303
    assert signed_in_as(browser) == alice.pk


# --- Addresses and linking -----------------------------------------------------------------------------------------------


def add(user: Any, provider: str, issuer: str, subject: str) -> Connection:
    """Connect an account at a provider."""
    return Connection.objects.create(user=user, provider=provider, issuer=issuer, subject=subject)


def signed_in_as(browser: Browser) -> Any:
    """Return the key of the person whose session the browser has, as the model has it."""
    return get_user_model()._meta.pk.to_python(browser.session["_auth_user_id"])


@pytest.mark.parametrize("verified", [False, "false", "true", None, 1, "True", []])
def test_an_address_that_the_provider_has_not_verified(
    verified: Any, provide: Any, browser: Browser, alice: Any, events: list[Event]
) -> None:
    fake = provide(FakeProvider)
    fake.claims = {"email_verified": verified}

    assert refused(sign_in_at(browser, "openid"))
    assert reasons(events) == ["address_not_proved"]


@pytest.mark.parametrize("verified", [False, "false", "True", 1])
def test_the_text_false_of_apple(verified: Any, provide: Any, browser: Browser, alice: Any) -> None:
    fake = provide(FakeApple)
    fake.claims = {"email_verified": verified}

    assert refused(sign_in_at(browser, "apple"))


@pytest.mark.parametrize(
    "emails",
    [
        [{"email": "alice@example.org", "verified": False, "primary": True}],
        [{"email": "alice@example.org", "verified": "true", "primary": True}],
        [{"email": "alice@example.org", "verified": True, "primary": False}],
        [],
        ["alice@example.org"],
    ],
)
def test_an_address_that_github_has_not_verified(emails: Any, provide: Any, browser: Browser, alice: Any) -> None:
    fake = provide(FakeGitHub)
    fake.person |= {"email": "alice@example.org", "email_verified": True}
    fake.emails = emails

    assert refused(sign_in_at(browser, "github"))


@pytest.mark.asvs("10.5.2")
@pytest.mark.asvs("6.8.1")
def test_a_subject_that_differs_by_case(provide: Any, browser: Browser, alice: Any) -> None:
    fake = provide(FakeProvider, trusted_domains=[])
    add(alice, "openid", fake.issuer, "ABCdef")
    fake.person |= {"sub": "abcdef"}

    assert refused(sign_in_at(browser, "openid"))
    fake.person |= {"sub": "ABCdef"}
    assert sign_in_at(browser, "openid").status_code == 303


@pytest.mark.asvs("10.5.2")
@pytest.mark.asvs("6.8.1")
def test_the_subject_of_another_provider(provide: Any, browser: Browser, alice: Any) -> None:
    first, second = (
        provide(FakeProvider, "first", trusted_domains=[]),
        provide(FakeProvider, "second", trusted_domains=[]),
    )
    add(alice, "first", first.issuer, first.person["sub"])
    assert first.person["sub"] == second.person["sub"]

    assert refused(sign_in_at(browser, "second"))
    add(alice, "second", first.issuer, second.person["sub"])
    assert refused(sign_in_at(browser, "second"))


def test_a_verified_address_of_a_trusted_domain_is_linked(provide: Any, browser: Browser, alice: Any) -> None:
    provide(FakeProvider)

    assert sign_in_at(browser, "openid").status_code == 303
    assert Connection.objects.get().user == alice
    assert signed_in_as(browser) == alice.pk


def test_a_domain_that_the_provider_is_not_trusted_for(provide: Any, browser: Browser, alice: Any) -> None:
    provide(FakeProvider, trusted_domains=["example.com", "gmail.com"])

    assert refused(sign_in_at(browser, "openid"))


def test_google_is_trusted_for_its_own_domain_alone(provide: Any, browser: Browser, alice: Any) -> None:
    fake = provide(FakeGoogle)
    fake.person |= {"email": "alice@example.org", "hd": "example.org"}

    assert refused(sign_in_at(browser, "google"))


def test_an_unverified_local_account_is_not_linked(provide: Any, browser: Browser, events: list[Event]) -> None:
    squatter = make_user("alice@example.org", verified=False)
    provide(FakeProvider)

    assert refused(sign_in_at(browser, "openid"))
    assert not Connection.objects.filter(user=squatter).exists()
    assert reasons(events) == ["address_taken"]


@pytest.mark.parametrize("column", ["is_staff", "is_superuser"])
def test_staff_are_never_linked_by_an_address(column: str, provide: Any, browser: Browser, events: list[Event]) -> None:
    make_user("alice@example.org", **{column: True})
    provide(FakeProvider)

    assert refused(sign_in_at(browser, "openid"))
    assert reasons(events) == ["staff"]


#: Addresses that become alice@example.org, or an address of xn--mnchen-3ya.example, only by normalisation.
LOOKALIKES = [
    ("alice@example.org", "\uff41lice@example.org"),
    ("alice@example.org", "alice@\uff45xample.org"),
    ("alice@example.org", "alice@example\u3002org"),
    ("alice@example.org", " alice@example.org"),
    ("alice@example.org", "alice@example.org."),
    ("alice@xn--mnchen-3ya.example", "alice@m\u00fcnchen.example"),
    ("alice@xn--mnchen-3ya.example", "alice@M\u00dcNCHEN.example"),
]


@pytest.mark.parametrize(("local", "stated"), LOOKALIKES)
def test_an_address_that_differs_by_idna_or_full_width_letters(
    local: str, stated: str, provide: Any, browser: Browser
) -> None:
    make_user(local)
    fake = provide(FakeProvider, trusted_domains=["*"])
    fake.person |= {"email": stated}

    assert refused(sign_in_at(browser, "openid"))
    assert not Connection.objects.exists()
    assert EmailAddress.objects.count() == 1

    fake.person |= {"email": local.upper()}
    assert sign_in_at(browser, "openid").status_code == 303


# --- Admission -----------------------------------------------------------------------------------------------------------


def test_a_provider_that_is_disabled_in_between(provide: Any, browser: Browser, alice: Any, settings: Any) -> None:
    fake = provide(FakeProvider)
    returned = visit(begin(browser, "openid"))
    configure(settings, "openid", fake.options(enabled=False))

    assert refused(returned.deliver(browser), 404)
    assert fake.count("/token") == 0
    assert browser.post("/federation/openid/login/").status_code == 404


def test_a_provider_that_is_removed_in_between(provide: Any, browser: Browser, settings: Any) -> None:
    provide(FakeProvider)
    returned = visit(begin(browser, "openid"))
    configure(settings, "openid", None)

    assert refused(returned.deliver(browser), 404)


@pytest.mark.parametrize("how", ["disabled", "locked"])
def test_a_person_who_is_not_admitted(
    how: str, provide: Any, browser: Browser, alice: Any, events: list[Event]
) -> None:
    fake = provide(FakeProvider)
    add(alice, "openid", fake.issuer, fake.person["sub"])
    if how == "locked":
        lock_account(user=alice)
    else:
        disable_account(user=alice)

    assert refused(sign_in_at(browser, "openid"), 401)
    assert [event.reason for event in events if event.name.value == "auth.login.failed"] == [how]
    assert Connection.objects.get().used_at is None


def test_a_connection_that_is_disabled(provide: Any, browser: Browser, alice: Any, events: list[Event]) -> None:
    fake = provide(FakeProvider)
    row = add(alice, "openid", fake.issuer, fake.person["sub"])
    Connection.objects.filter(pk=row.pk).update(disabled_at=timezone.now())

    assert refused(sign_in_at(browser, "openid"), 401)
    assert reasons(events) == ["connection"]


def test_a_site_that_is_closed_for_sign_up(provide: Any, browser: Browser, settings: Any) -> None:
    provide(FakeProvider)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SIGNUP": "invitation"}

    assert refused(sign_in_at(browser, "openid"))
    assert not get_user_model().objects.exists()


def test_a_provider_that_may_not_create_accounts(provide: Any, browser: Browser) -> None:
    provide(FakeProvider, sign_up=False)

    assert refused(sign_in_at(browser, "openid"))


# --- The same answer -----------------------------------------------------------------------------------------------------


def test_an_unproved_address_does_not_tell_whether_there_is_an_account(provide: Any) -> None:
    """A page whose provider states any address would otherwise answer who has an account."""
    provide(FakeProvider, trusted_domains=[])
    without = sign_in_at(Browser(), "openid")
    person = make_user("alice@example.org")
    person.password = make_password(None)
    person.save()
    with_account = sign_in_at(Browser(), "openid")

    assert without.status_code == with_account.status_code == 403
    assert without.content == with_account.content


def test_a_person_who_says_no(provide: Any, browser: Browser, events: list[Event]) -> None:
    fake = provide(FakeProvider)
    fake.redirected = {"error": "access_denied", "error_description": "<b>no</b>", "code": None}
    answer = sign_in_at(browser, "openid")

    assert refused(answer)
    assert "<b>" not in answer.content.decode()
    assert reasons(events) == ["declined"]
