"""Adding a passkey or a security key."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import Client as Browser
from django.utils import timezone

from auth_core.events import AuthEvent
from auth_core.people.lookup import identity_of
from auth_core.registries import sweeps
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post, with_csrf
from auth_core.testing.mails import the_mail
from auth_mfa.events import MfaEvent
from auth_mfa.models import FactorHistory, WebauthnChallenge, WebauthnFactor
from auth_mfa.models.webauthn_challenge import LIFETIME, new_challenge
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_totp

pytestmark = pytest.mark.django_db


def begin_passkey(browser: Browser) -> Any:
    return post(browser, "mfa/passkeys")


def confirm_passkey(browser: Browser, begun: Any, credential: Any, name: str = "Laptop") -> Any:
    return post(browser, f"mfa/passkeys/{begun.json()['id']}/confirm", credential=credential, name=name)


def register(browser: Browser, key: Authenticator, **changed: Any) -> Any:
    begun = begin_passkey(browser)
    return confirm_passkey(browser, begun, key.make(begun.json()["options"], **changed))


def test_a_passkey_is_added(browser_of_alice: Browser, alice: User, recorded_events: list[Any]) -> None:
    key = Authenticator(backup_eligible=True, backup_state=True)

    begun = begin_passkey(browser_of_alice)
    added = confirm_passkey(browser_of_alice, begun, key.make(begun.json()["options"]))

    assert (begun.status_code, set(begun.json())) == (200, {"id", "options"})
    assert (added.status_code, added.json()["method"], added.json()["name"]) == (201, "passkey", "Laptop")
    assert browser_of_alice.get(added.headers["Location"]).json()["id"] == added.json()["id"]
    assert key.user_handle == identity_of(alice).subject_id.bytes
    row = key.factor
    assert (row.user, row.confirmed, row.backup_eligible, row.backup_state) == (alice, True, True, True)
    assert (row.discoverable, row.user_verified, row.transports) == (True, True, ["hybrid", "internal"])
    event = next(event for event in recorded_events if event.name is AuthEvent.FACTOR_ADDED)
    assert (event.subject, event.data) == (alice, {"method": "passkey"})
    assert FactorHistory.objects.had_factor(alice)
    assert "second factor was added" in the_mail().subject
    assert [factor["method"] for factor in browser_of_alice.get("/api/v1/me/").json()["second_factors"]] == ["passkey"]


def test_a_key_that_is_not_discoverable_and_not_synced_is_a_security_key(browser_of_alice: Browser) -> None:
    added = register(browser_of_alice, Authenticator(discoverable=False))

    assert added.json()["method"] == "security_key"


def test_a_key_without_a_name_gets_a_default_name(browser_of_alice: Browser) -> None:
    begun = begin_passkey(browser_of_alice)
    credential = Authenticator().make(begun.json()["options"])

    assert confirm_passkey(browser_of_alice, begun, credential, "").json()["name"] == "Passkey"


def test_several_keys_are_added_but_none_twice(browser_of_alice: Browser, alice: User) -> None:
    first, second = Authenticator(), Authenticator()
    first.added_to(alice)
    proved = new_browser()
    challenged = log_in(proved)
    answer(proved, challenged, credential=first.sign(options_of(challenged)))
    with_csrf(proved)

    begun = begin_passkey(proved)
    excluded = [credential["id"] for credential in begun.json()["options"]["excludeCredentials"]]
    again = confirm_passkey(proved, begun, first.make(begun.json()["options"]))

    assert excluded == [first.factor.credential_id]
    assert (again.status_code, code_of(again)) == (409, "conflict")
    assert register(proved, second).status_code == 201
    assert WebauthnFactor.objects.of(alice).count() == 2


def options_of(challenged: Any) -> Any:
    return challenged.json()["challenge"]["data"]["options"]


def test_the_credential_of_another_user_is_refused(browser_of_alice: Browser, alice: User) -> None:
    theirs = Authenticator().added_to(User.objects.create_user("bob"))

    refused = register(browser_of_alice, Authenticator(), credential_id=theirs.credential_id)

    assert (refused.status_code, code_of(refused)) == (409, "conflict")
    assert not WebauthnFactor.objects.of(alice).exists()


def test_a_registration_is_confirmed_once(browser_of_alice: Browser) -> None:
    begun = begin_passkey(browser_of_alice)

    assert confirm_passkey(browser_of_alice, begun, Authenticator().make(begun.json()["options"])).status_code == 201
    assert (
        code_of(confirm_passkey(browser_of_alice, begun, Authenticator().make(begun.json()["options"])))
        != "internal_error"
    )
    assert WebauthnFactor.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://evil.example.org"},
        {"rp_id": "evil.example.org"},
        {"challenge": "A" * 43},
        {"client_type": "webauthn.get"},
        {"user_present": False},
        {"extra": {"crossOrigin": True}},
    ],
    ids=str,
)
def test_a_wrong_registration_is_refused_recorded_and_spends_its_challenge(
    changed: dict[str, Any], browser_of_alice: Browser, alice: User, recorded_events: list[Any]
) -> None:
    begun = begin_passkey(browser_of_alice)
    key = Authenticator()

    refused = confirm_passkey(browser_of_alice, begun, key.make(begun.json()["options"], **changed))
    later = confirm_passkey(browser_of_alice, begun, key.make(begun.json()["options"]))

    assert (refused.status_code, code_of(refused)) == (401, "challenge_failed")
    assert code_of(later) == "not_found"
    failed = next(event for event in recorded_events if event.name is MfaEvent.FACTOR_FAILED)
    assert (failed.subject, failed.data) == (alice, {"method": "passkey"})
    assert not WebauthnFactor.objects.exists()


def test_a_malformed_credential_is_refused_and_spends_nothing(browser_of_alice: Browser) -> None:
    begun = begin_passkey(browser_of_alice)
    right = Authenticator().make(begun.json()["options"])
    for wrong in (
        {},
        {"id": "x"},
        {**right, "response": {}},
        {**right, "type": "password"},
        {**right, "id": "x" * 2000},
    ):
        refused = confirm_passkey(browser_of_alice, begun, wrong)
        assert (refused.status_code, code_of(refused)) == (400, "invalid_request")

    assert confirm_passkey(browser_of_alice, begun, right).status_code == 201


def test_a_registration_belongs_to_the_session_that_began_it(browser_of_alice: Browser) -> None:
    begun = begin_passkey(browser_of_alice)
    elsewhere = new_browser()
    log_in(elsewhere)
    credential = Authenticator().make(begun.json()["options"])

    assert code_of(confirm_passkey(with_csrf(elsewhere), begun, credential)) == "not_found"
    assert confirm_passkey(browser_of_alice, begun, credential).status_code == 201


def test_the_registration_of_another_user_is_not_found(browser_of_alice: Browser) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", "correct horse battery staple")
    theirs = new_browser()
    log_in(theirs, identifier="bob")
    begun = begin_passkey(with_csrf(theirs))

    assert (
        code_of(confirm_passkey(browser_of_alice, begun, Authenticator().make(begun.json()["options"]))) == "not_found"
    )
    assert not WebauthnFactor.objects.of(bob).exists()


def test_the_challenge_of_a_login_registers_nothing(browser_of_alice: Browser, alice: User) -> None:
    Authenticator().added_to(alice)
    challenged = log_in(new_browser())
    other = WebauthnChallenge.objects.get()
    made = Authenticator().make({"user": {"id": "AAAA"}, "challenge": other.challenge})

    refused = post(browser_of_alice, f"mfa/passkeys/{other.pk}/confirm", credential=made)

    # The missing fresh proof is reported first.
    assert challenged.status_code == 202
    assert code_of(refused) in ("not_found", "insufficient_user_authentication")
    assert WebauthnFactor.objects.count() == 1


def test_a_challenge_expires_after_five_minutes_and_is_swept(browser_of_alice: Browser) -> None:
    begun, at = begin_passkey(browser_of_alice), timezone.now()
    credential = Authenticator().make(begun.json()["options"])
    WebauthnChallenge.objects.update(expires_at=at + timedelta(seconds=1))

    with time_machine.travel(at + timedelta(seconds=1), tick=False):
        assert code_of(confirm_passkey(browser_of_alice, begun, credential)) == "not_found"
        assert sweeps.get("auth_mfa.challenges")() == 1  # type: ignore[misc]  # registered at start-up
    assert LIFETIME.total_seconds() == 300
    assert not WebauthnChallenge.objects.exists()


@pytest.mark.asvs("7.5.1")
def test_a_registration_needs_the_strongest_fresh_proof(browser_of_alice: Browser, alice: User) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        assert code_of(begin_passkey(browser_of_alice)) == "insufficient_user_authentication"
    begun = begin_passkey(browser_of_alice)
    add_totp(alice)

    assert code_of(begin_passkey(browser_of_alice)) == "insufficient_user_authentication"
    credential = Authenticator().make(begun.json()["options"])
    assert code_of(confirm_passkey(browser_of_alice, begun, credential)) == "insufficient_user_authentication"
    assert begin_passkey(new_browser()).status_code == 401


def test_the_number_of_factors_is_limited(browser_of_alice: Browser, settings: Any) -> None:
    begun = begin_passkey(browser_of_alice)
    settings.AUTH_MFA = {"MAX_FACTORS": 0}

    assert begin_passkey(browser_of_alice).status_code == 409
    assert confirm_passkey(browser_of_alice, begun, Authenticator().make(begun.json()["options"])).status_code in (
        404,
        409,
    )
    assert not WebauthnFactor.objects.exists()


@pytest.mark.parametrize(("length", "status"), [(1, 201), (1023, 201), (1024, 400)])
def test_an_id_may_have_1023_bytes(length: int, status: int, browser_of_alice: Browser) -> None:
    assert register(browser_of_alice, Authenticator(), credential_id=b"x" * length).status_code == status


@pytest.mark.parametrize(
    ("methods", "option", "is_discoverable"),
    [(["passkey"], "required", False), (["security_key"], "discouraged", True)],
)
def test_a_site_may_offer_only_one_of_the_two(
    methods: list[str], option: str, is_discoverable: bool, browser_of_alice: Browser, settings: Any
) -> None:
    settings.AUTH_MFA = {"METHODS": methods}

    begun = begin_passkey(browser_of_alice)
    options = begun.json()["options"]
    refused = confirm_passkey(browser_of_alice, begun, Authenticator(discoverable=is_discoverable).make(options))

    assert options["authenticatorSelection"]["residentKey"] == option
    assert (refused.status_code, code_of(refused)) == (400, "invalid_request")
    assert register(browser_of_alice, Authenticator(discoverable=not is_discoverable)).status_code == 201


def test_a_site_may_offer_neither(browser_of_alice: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"METHODS": ["totp"]}

    assert code_of(begin_passkey(browser_of_alice)) == "invalid_request"
    assert code_of(post(new_browser(), "mfa/passkeys/login")) == "invalid_request"


@pytest.mark.asvs("6.7.2")
def test_a_hundred_thousand_challenges_are_all_different() -> None:
    made = {new_challenge() for _number in range(100_000)}

    assert len(made) == 100_000
    assert {len(challenge) for challenge in made} == {43}


@pytest.mark.parametrize(
    ("url", "mfa_settings"),
    [
        ("https://auth.example.org", {}),
        ("https://auth.example.org:8443", {}),
        ("https://auth.example.org", {"RP_ID": "example.org"}),
        ("http://localhost:8000", {}),
        ("http://auth.example.org", None),
        ("http://127.0.0.1:8000", None),
        ("https://127.0.0.1:8000", None),
        ("", None),
    ],
)
def test_a_site_where_passkeys_cannot_work_is_warned(url: str, mfa_settings: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PUBLIC_URL": url}
    settings.AUTH_MFA = mfa_settings or {}

    warned = [message.id for message in run_checks() if message.id == "auth_mfa.W002"]

    assert bool(warned) == (mfa_settings is None)


@pytest.mark.parametrize(
    "mfa_settings", [{"RP_ID": "ample.org"}, {"RP_ID": "org.evil.net"}, {"METHODS": ["totp"], "RP_ID": "x"}]
)
def test_a_domain_that_is_no_parent_of_the_site_gives_a_warning(mfa_settings: dict[str, Any], settings: Any) -> None:
    settings.AUTH_MFA = mfa_settings

    warned = [message.id for message in run_checks() if message.id == "auth_mfa.W002"]

    assert bool(warned) == ("METHODS" not in mfa_settings)
