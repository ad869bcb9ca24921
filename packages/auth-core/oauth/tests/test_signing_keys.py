"""The keys that sign tokens: how they begin, rotate, and fail."""

import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError
from joserfc import jwt
from joserfc.jwk import KeySet

from auth_core.crypto.encryption import new_key
from auth_core.fields import Sealed
from auth_core.oauth.conf import oauth
from auth_core.oauth.keys import boot, rotation
from auth_core.oauth.keys import key_set as key_set_module
from auth_core.oauth.keys.algorithms import InvalidKey, Registry, from_pem
from auth_core.oauth.keys.key_set import KeysUnusable, find_key, forget_keys, key_set, load_keys
from auth_core.oauth.models import SigningKey
from auth_core.oauth.testing.factories import make_application

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(settings: Any) -> Iterator[None]:
    """A site whose keys are in the database: two algorithms, so that the test makes one RSA key."""
    settings.AUTH_OAUTH = {"SIGNING_ALGORITHMS": ("ES256", "EdDSA")}
    forget_keys()
    rotation.make_first_keys()
    yield
    forget_keys()


def test_the_first_keys_sign_at_once_and_are_made_once(stored: None) -> None:
    assert rotation.make_first_keys() == []
    assert key_set().algorithms == ["ES256", "EdDSA"]
    assert SigningKey.objects.count() == 2


def test_a_private_key_is_encrypted_in_its_row(stored: None) -> None:
    columns = SigningKey.objects.values_list("private_key", flat=True)

    assert all(column.startswith("v1.test.") for column in columns)


def test_the_key_set_has_no_private_part(client: Any) -> None:
    keys = client.get("/.well-known/jwks.json").json()["keys"]

    assert {key["alg"] for key in keys} == {"ES256", "RS256", "PS256", "EdDSA"}
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)


def test_the_next_key_is_published_before_it_signs(stored: None, clock: Any) -> None:
    first = key_set().signer("ES256").kid

    rotation.rotate_signing_keys(force=True)
    forget_keys()

    (second,) = {key["kid"] for key in key_set().jwks["keys"] if key["alg"] == "ES256"} - {first}
    assert key_set().signer("ES256").kid == first
    clock.forward(seconds=2 * oauth.JWKS_LIFETIME.total_seconds() + 1)
    forget_keys()
    assert key_set().signer("ES256").kid == second
    assert find_key(first) is not None, "tokens that the first key signed are still alive"
    clock.forward(seconds=oauth.ACCESS_TOKEN_LIFETIME.total_seconds() + 360)
    forget_keys()
    assert find_key(first) is None


def test_a_second_rotation_waits_for_the_first(stored: None) -> None:
    assert len(rotation.rotate_signing_keys(force=True)) == 2
    assert rotation.rotate_signing_keys(force=True) == []


def test_the_sweep_rotates_a_key_that_is_due_and_deletes_the_former(stored: None, clock: Any) -> None:
    assert rotation.rotate_due_keys() == 0
    clock.forward(seconds=oauth.KEY_LIFETIME.total_seconds())
    assert rotation.rotate_due_keys() == 2
    clock.forward(days=1)
    assert rotation.rotate_due_keys() == 2
    assert SigningKey.objects.count() == 2


def test_the_command_rotates_and_tells_when_the_keys_sign(stored: None, capsys: Any) -> None:
    call_command("rotate_keys", "--signing")

    assert "ES256:" in capsys.readouterr().out
    assert SigningKey.objects.count() == 4


def test_a_service_without_keys_does_not_start(stored: None) -> None:
    SigningKey.objects.all().delete()

    with pytest.raises(ImproperlyConfigured, match="no signing key for ES256"):
        boot.refuse_without_keys()
    assert boot.signing_keys().status == "failed"
    assert SigningKey.objects.count() == 0, "a key was made up"


def test_a_service_whose_key_cannot_be_read_does_not_start(stored: None, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"other": new_key()}}
    forget_keys()

    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        boot.refuse_without_keys()
    with pytest.raises(KeysUnusable):
        key_set()


def test_the_keys_of_the_operator_replace_those_of_the_database(settings: Any, client: Any) -> None:
    assert rotation.make_first_keys() == []
    assert rotation.rotate_signing_keys(force=True) == []
    assert boot.missing_keys() == ""


@pytest.mark.parametrize("text", ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_broken_key_of_the_operator_is_refused_without_its_text(text: str, settings: Any) -> None:
    with pytest.raises(InvalidKey):
        from_pem(text)
    settings.AUTH_OAUTH = {"SIGNING_KEYS": text or "x-----END PRIVATE KEY-----"}
    forget_keys()

    with pytest.raises(KeysUnusable) as problem:
        load_keys()

    assert "AAAA" not in str(problem.value)


def test_the_database_being_down_stops_no_start(monkeypatch: Any) -> None:
    def lost() -> Any:
        raise OperationalError

    monkeypatch.setattr(boot, "load_keys", lost)

    boot.refuse_without_keys()
    assert boot.signing_keys().status == "failed"


def test_no_verification_fails_during_a_rotation(stored: None, clock: Any, client: Any) -> None:
    """A client keeps the key set as long as it may, and asks for no other in between."""
    application = make_application(grant="client-credentials")
    kids, fetched_at, jwks = set(), None, None
    for minute in range(0, 7 * 60, 10):
        if minute == 60:
            rotation.rotate_signing_keys(force=True)
        if fetched_at is None or clock.now - fetched_at >= oauth.JWKS_LIFETIME:
            fetched_at, jwks = clock.now, KeySet.import_key_set(client.get("/.well-known/jwks.json").json())
        token = application.post("/oauth/token", grant_type="client_credentials").json()["access_token"]

        decoded = jwt.decode(token, jwks, registry=Registry(algorithms=["ES256"]))

        kids.add(decoded.header["kid"])
        clock.forward(minutes=10)
        forget_keys()
    assert len(kids) == 2, "the second key never signed"


@pytest.mark.parametrize(("lifetime", "age"), [(3600, 61), (30, 16)])
def test_a_process_reads_the_keys_again_before_the_next_one_could_sign(
    lifetime: int, age: int, stored: None, settings: Any, monkeypatch: Any
) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "JWKS_LIFETIME": timedelta(seconds=lifetime)}
    moment = time.monotonic()
    monkeypatch.setattr(key_set_module, "time", SimpleNamespace(monotonic=lambda: moment))
    assert len(key_set().jwks["keys"]) == 2
    copy = dict(key_set_module._sets)
    rotation.rotate_signing_keys(force=True)
    # As if another process had rotated, which does not tell this one.
    key_set_module._sets.update(copy)
    assert len(key_set().jwks["keys"]) == 2

    moment += age

    assert len(key_set().jwks["keys"]) == 4


def test_without_keys_every_endpoint_is_unavailable_and_refuses_no_one(client: Any, settings: Any) -> None:
    application = make_application(grant="client-credentials")
    token = application.post("/oauth/token", grant_type="client_credentials").json()["access_token"]
    settings.AUTH_OAUTH = {"SIGNING_ALGORITHMS": ("ES256",)}
    forget_keys()
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {token}"}

    answers = [
        application.post("/oauth/token", grant_type="client_credentials"),
        client.get("/oauth/userinfo", **bearer),
        client.get("/api/v1/orders/", **bearer),
    ]

    assert [answer.status_code for answer in answers] == [503, 401, 401]
    rotation.make_first_keys()
    SigningKey.objects.update(private_key=Sealed("v1.test.AAAA"))
    forget_keys()
    assert client.get("/oauth/userinfo", **bearer).status_code == 503
    assert client.get("/api/v1/orders/", **bearer).status_code == 503
    assert client.get("/.well-known/jwks.json").status_code == 503
