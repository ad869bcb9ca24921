"""``manage.py create_application``: what is registered, what is printed, and what is refused."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from oauth2_provider.models import get_application_model

from auth_core.events import Event
from auth_core.oauth.clients.registry import find_application
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, exchange
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication
from people import allowed, browser_of

pytestmark = pytest.mark.django_db

APPLICATION = get_application_model()


def create(*arguments: str) -> dict[str, str]:
    """Run the command with ``--json``, and return what it prints."""
    out = io.StringIO()
    call_command("create_application", "--name", "Example", *arguments, "--json", stdout=out)
    printed: dict[str, str] = json.loads(out.getvalue())
    return printed


def test_the_first_login_of_a_new_application(alice: Any, events: list[Event]) -> None:
    printed = create("--redirect-uri", REDIRECT_URI)
    application = Registered(row=APPLICATION.objects.get(), secret=printed["client_secret"])

    answer = allowed(browser_of(alice), application)

    assert application.client_id == printed["client_id"]
    assert exchange(application, answer["code"]).json()["id_token"]
    assert str(application.policy.pk) == printed["id"]
    assert OAuthEvent.APPLICATION_ADDED in [event.name for event in events]


def test_only_the_hash_of_the_secret_is_stored() -> None:
    printed = create("--redirect-uri", REDIRECT_URI)

    stored = APPLICATION.objects.get().client_secret
    assert stored.startswith("auth_client_secret$")
    assert printed["client_secret"] not in stored


def test_a_public_application_has_no_secret() -> None:
    printed = create("--redirect-uri", "http://127.0.0.1/cb", "--public")

    application = find_application(printed["client_id"])
    assert "client_secret" not in printed
    assert application is not None
    assert application.is_public
    assert application.client_secret == ""


def test_the_options_are_those_of_the_policy() -> None:
    printed = create(
        "--redirect-uri", REDIRECT_URI, "--redirect-uri", "https://rp.example/other", "--first-party",
        "--grant", "authorization_code", "--scope", "orders", "--post-logout-redirect-uri", "https://rp.example/",
        "--backchannel-logout-uri", "https://rp.example/logout",
    )  # fmt: skip

    application = find_application(printed["client_id"])
    assert application is not None
    assert application.is_first_party
    assert application.grants == {"authorization_code"}
    assert application.own_scopes == {"orders"}
    assert application.redirect_uris == (REDIRECT_URI, "https://rp.example/other")
    assert application.post_logout_redirect_uris == ("https://rp.example/",)
    assert application.backchannel_logout_uri == "https://rp.example/logout"


def test_a_service_needs_no_address() -> None:
    printed = create("--grant", "client_credentials")

    application = find_application(printed["client_id"])
    assert application is not None
    assert application.grants == {"client_credentials"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--redirect-uri", "http://evil.example/cb"],
        ["--redirect-uri", "myapp:/cb"],
        ["--redirect-uri", f"{REDIRECT_URI}#x"],
        ["--redirect-uri", REDIRECT_URI, "--post-logout-redirect-uri", "javascript:alert(1)"],
        ["--redirect-uri", REDIRECT_URI, "--backchannel-logout-uri", "http://127.0.0.1/x"],
        ["--redirect-uri", REDIRECT_URI, "--name", " "],
        ["--public", "--grant", "client_credentials"],
        ["--grant", "refresh_token"],
    ],
)
def test_what_is_not_allowed_is_refused_and_registers_nothing(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        create(*arguments)
    assert not APPLICATION.objects.exists()


def test_text_is_printed_without_json(capsys: Any) -> None:
    call_command("create_application", "--name", "Example", "--redirect-uri", REDIRECT_URI)

    assert "client_secret: " in capsys.readouterr().out


def test_an_application_with_a_key_has_no_secret(tmp_path: Any) -> None:
    holder = KeyHolder()
    keys = tmp_path / "keys.json"
    keys.write_text(holder.jwks, encoding="utf-8")

    printed = create("--grant", "client_credentials", "--jwks-file", str(keys), "--profile", "high")

    application = SigningApplication(row=APPLICATION.objects.get(), secret="", holder=holder)
    assert set(printed) == {"id", "client_id"}
    assert application.policy.auth_method == "private_key_jwt"
    body = application.post("/oauth/token", grant_type="client_credentials", proof=KeyHolder().proof()).json()
    assert body["token_type"] == "DPoP"


def test_an_application_may_require_more() -> None:
    create("--redirect-uri", REDIRECT_URI, "--require-par", "--require-dpop", "--jwks-uri", "https://rp.example/keys")

    policy = ApplicationPolicy.objects.get()
    assert (policy.require_par, policy.require_dpop, policy.profile) == (True, True, "")
    assert policy.jwks_uri == "https://rp.example/keys"


def test_keys_and_profiles_that_are_refused(tmp_path: Any, settings: Any) -> None:
    login = ("--redirect-uri", REDIRECT_URI)
    private = tmp_path / "private.json"
    private.write_text(json.dumps({"keys": [KeyHolder().key.as_dict(private=True)]}), encoding="utf-8")
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}", encoding="utf-8")
    own = tmp_path / "keys.json"
    own.write_text(KeyHolder().jwks, encoding="utf-8")

    for arguments, named in (
        (("--jwks-file", str(private)), "jwks"),
        (("--jwks-file", str(wrong)), "jwks"),
        (("--jwks-file", str(tmp_path / "none")), "jwks-file"),
        (("--jwks-uri", "http://rp.example/keys"), "jwks_uri"),
        (("--jwks-file", str(own), "--jwks-uri", "https://rp.example/keys"), "jwks"),
        (("--jwks-file", str(own), "--public"), "auth_method"),
        (("--profile", "high"), "auth_method"),
        (("--profile", "high", "--public"), "profile"),
    ):
        with pytest.raises(CommandError, match=named):
            create(*login, *arguments)
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "PROFILE": "high"}
    with pytest.raises(CommandError, match="auth_method"):
        create(*login)
    assert not APPLICATION.objects.exists()
