"""Spends and ends are committed in a site with ``ATOMIC_REQUESTS``, whose rollback would give them back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from auth_core.oauth.models import Authorization
from auth_core.oauth.testing.factories import exchange, make_application, make_code, make_tokens, refresh, userinfo
from auth_core.people.locking import disable_account
from auth_core.testing.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def atomic_requests(transactional_db: None) -> Iterator[None]:
    """Set what the site would set."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


def test_a_wrong_verifier_spends_the_code() -> None:
    application = make_application()
    code = make_code(application, make_user())

    exchange(application, code, code_verifier="x" * 43)

    assert exchange(application, code).json()["error"] == "invalid_grant"


def test_replays_end_the_authorization() -> None:
    application, person = make_application(public=True), make_user()
    body = make_tokens(application, person)
    second = refresh(application, body["refresh_token"]).json()

    refresh(application, body["refresh_token"])

    assert Authorization.objects.get().ended_reason == "refresh_token_replayed"
    assert userinfo(second["access_token"]).status_code == 401


def test_a_refusal_for_a_disabled_person_ends_the_authorization() -> None:
    application, person = make_application(), make_user()
    token = make_tokens(application, person)["refresh_token"]
    disable_account(user=person)

    refresh(application, token)

    assert Authorization.objects.get().ended_at is not None


def test_wrong_secrets_are_counted() -> None:
    application: Any = make_application(grant="client-credentials")
    application.secret = "x" * 48

    statuses = {application.post("/oauth/token", grant_type="client_credentials").status_code for _guess in range(101)}

    assert statuses == {401, 429}
