"""What a new site needs first: a key, the middleware and its own address. A check names what is missing."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import include, path

from auth_core.checks import check_keys, check_public_url_is_there, check_request_context
from auth_core.crypto.encryption import key_problems
from auth_core.crypto.weak_keys import weakness_of


def new_key(*arguments: str) -> str:
    output = StringIO()
    call_command("new_key", *arguments, stdout=output)
    return output.getvalue().strip()


def test_a_new_key_is_valid_and_random(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"2026-11": (key := new_key())}}

    assert key_problems() == []
    assert weakness_of(key) == ""
    assert new_key() != key


def test_a_new_key_with_an_id_is_written_as_the_variable_expects_it() -> None:
    key_id, _colon, key = new_key("--id", "2026-11").partition(":")

    assert key_id == "2026-11"
    assert len(key) == 43


def test_a_new_key_is_printed_before_the_site_has_one(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    assert new_key()
    (error,) = check_keys()
    assert "manage.py new_key" in str(error.hint)


def test_a_site_without_the_context_middleware_is_told_so(settings: Any) -> None:
    assert check_request_context() == []

    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "RequestContext" not in name]

    (error,) = check_request_context()
    assert (error.id, error.is_serious()) == ("auth_core.E031", True)
    assert "auth_core.middleware.RequestContextMiddleware" in str(error.hint)


@pytest.mark.parametrize(("urls", "ids"), [("api", ["auth_core.E032"]), ("pages", ["auth_core.E032"]), ("", [])])
def test_a_site_that_mails_links_needs_its_address(urls: str, ids: list[str], settings: Any) -> None:
    settings.ROOT_URLCONF = (path("", include(f"auth_core.{urls}.urls")),) if urls else ()
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PUBLIC_URL": ""}

    assert [error.id for error in check_public_url_is_there()] == ids

    settings.AUTH_CORE = {**settings.AUTH_CORE, "PUBLIC_URL": "http://localhost:8000"}
    assert check_public_url_is_there() == []
