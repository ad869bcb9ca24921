"""Malformed bodies are refused and cause no server error."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from hypothesis import HealthCheck, given
from hypothesis import settings as fuzzing
from hypothesis import strategies as st

from auth_core.testing.browsers import answer, code_of, log_in, post
from auth_core.testing.mails import code_in, the_mail
from auth_core.testing.sessions import sign_in
from auth_mfa.models import WebauthnFactor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_mailbox, add_recovery_codes, add_totp

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["\x00", "\ud800", "a\x00b"])
def test_a_passkey_in_a_login_refuses_names_that_cannot_be_stored(
    name: str, alice: User, browser: Browser, settings: Any
) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}
    challenged = answer(browser, log_in(browser), code=code_in(the_mail()))
    challenged = post(browser, "login/challenge", token=challenged.json()["token"], choice="passkey")
    made = Authenticator(backup_eligible=True).make(challenged.json()["challenge"]["data"]["options"])

    refused = post(browser, "login/answer", token=challenged.json()["token"], answer={"credential": made, "name": name})

    assert (refused.status_code, code_of(refused)) == (400, "invalid_request")
    assert not WebauthnFactor.objects.exists()


@pytest.mark.parametrize("name", ["\x00", "\ud800"])
@pytest.mark.parametrize("path", ["mfa/totp", "mfa/email"])
def test_a_factor_refuses_names_that_cannot_be_stored(path: str, name: str, alice: User) -> None:
    browser = sign_in(alice)

    assert post(browser, path, name=name).status_code == 400


@pytest.mark.parametrize("token", ["\x00", "\ud800", "\u00e9"])
@pytest.mark.parametrize("path", ["mfa/passkeys/login/answer", "login/answer", "login/challenge"])
def test_a_malformed_token_names_no_login(path: str, token: str, browser: Browser, db: None) -> None:
    credential = {"id": "AAAA", "rawId": "AAAA", "type": "public-key"}
    response = {"clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AAAA"}
    bodies: dict[str, dict[str, Any]] = {
        "mfa/passkeys/login/answer": {"credential": credential | {"response": response}},
        "login/answer": {"answer": {"code": "123456"}},
        "login/challenge": {"choice": "x"},
    }

    assert post(browser, path, token=token, **bodies[path]).status_code in (400, 401)


def test_a_passkey_login_works_without_a_known_network(browser: Browser, db: None) -> None:
    """The address is empty, as behind a Unix socket."""
    browser.defaults["REMOTE_ADDR"] = ""

    assert post(browser, "mfa/passkeys/login").status_code == 200


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=40)
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_B64 = st.text("ABab09-_=", max_size=12)
_RESPONSE = st.dictionaries(
    st.sampled_from(
        ["clientDataJSON", "authenticatorData", "signature", "attestationObject", "userHandle", "transports"]
    ),
    _B64 | st.just("e30") | _JSON,
)
_CREDENTIAL = st.fixed_dictionaries(
    {},
    optional={
        "id": _B64 | _JSON,
        "rawId": _B64 | _JSON,
        "type": st.just("public-key") | _JSON,
        "response": _RESPONSE | _JSON,
        "clientExtensionResults": _JSON,
    },
)
_MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "name": _JSON,
        "number": _JSON | st.from_regex(r"\+[0-9 ()]{3,20}", fullmatch=True),
        "code": _JSON | st.from_regex(r"[0-9]{6}", fullmatch=True) | st.from_regex(r"[0-9A-Z]{16}", fullmatch=True),
        "credential": _CREDENTIAL | _JSON,
        "token": _JSON,
        "transport": _JSON,
    },
)
_FUZZ = fuzzing(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture
def open_wide(settings: Any) -> None:
    """Limits so wide that they hide no answer."""
    many = (1_000_000, timedelta(minutes=15))
    uses = {
        "answer": {"person": many},
        "login": {"identifier": many},
        "passkey": {"network": many},
        "sms": {"number": many, "prefix": many, "everybody": many},
        "code": {"destination": many},
    }
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": uses, "PENDING_LOGIN_ATTEMPTS": 30_000}
    settings.AUTH_MFA = {"MAX_FAILURES": 30_000}


def send(browser: Browser, path: str, body: Any) -> Any:
    browser.raise_request_exception = False
    return browser.post(f"/api/v1/{path}/", json.dumps(body), content_type="application/json")


PATHS = [
    "mfa/totp", "mfa/sms", "mfa/email", "mfa/recovery-codes", "mfa/passkeys", "mfa/passkeys/login",
    "mfa/passkeys/login/answer", f"mfa/totp/{uuid4()}/confirm", f"mfa/sms/{uuid4()}/confirm",
    f"mfa/email/{uuid4()}/resend", f"mfa/passkeys/{uuid4()}/confirm",
]  # fmt: skip


@pytest.mark.usefixtures("captured_texts", "open_wide")
@pytest.mark.parametrize("path", PATHS)
def test_no_body_of_a_factor_causes_a_server_error(path: str, alice: User) -> None:
    browser = sign_in(alice)

    @_FUZZ
    @given(_MEMBERS | _JSON)
    def fuzz(body: Any) -> None:
        answered = send(browser, path, body)
        assert answered.status_code < 500, (body, answered.content)

    fuzz()


@pytest.mark.usefixtures("captured_texts", "open_wide")
@pytest.mark.parametrize("kind", ["totp", "recovery", "email", "webauthn", "enrolment", "enrolment_passkey"])
def test_no_answer_of_a_login_causes_a_server_error(kind: str, alice: User, browser: Browser, settings: Any) -> None:
    choice = "x"
    if kind.startswith("enrolment"):
        settings.AUTH_MFA = {**settings.AUTH_MFA, "REQUIRED_OF": ["everyone"]}
        challenged = answer(browser, log_in(browser), code=code_in(the_mail()))
        choice = "passkey" if kind == "enrolment_passkey" else "totp"
    elif kind == "webauthn":
        own = sign_in(alice)
        begun = post(own, "mfa/passkeys").json()
        made = Authenticator().make(begun["options"])
        assert post(own, f"mfa/passkeys/{begun['id']}/confirm", credential=made).status_code == 201
        challenged = log_in(browser)
        choice = challenged.json()["challenge"]["choice"]
    else:
        chosen: Any = add_totp(alice)
        if kind == "recovery":
            chosen = add_recovery_codes(alice).factor
        elif kind == "email":
            chosen = add_mailbox(alice)
        challenged = log_in(browser)
        choice = str(chosen.pk)
    token = challenged.json()["token"]
    assert post(browser, "login/challenge", token=token, choice=choice).status_code == 202

    @_FUZZ
    @given(_MEMBERS | _JSON, st.booleans())
    def fuzz(given_answer: Any, is_choice: bool) -> None:
        if is_choice:
            answered = send(browser, "login/challenge", {"token": token, "choice": given_answer})
        else:
            answered = send(browser, "login/answer", {"token": token, "answer": given_answer})
        assert answered.status_code < 500, (given_answer, answered.content)

    fuzz()
