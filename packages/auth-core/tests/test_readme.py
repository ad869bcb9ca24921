"""The example tests in the README pass, and the first fails without an event."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import include, path

from auth_core.testing.clock import Clock
from auth_core.testing.gaps import AuditGap
from auth_core.testing.readme import FreshSite, blocks

README = Path(__file__).parents[1] / "README.md"


#: A user who was in the site before signs in by name and by address, and signs up another one.
VISIT = """
from django.contrib.auth.models import User
from auth_core.testing.browsers import log_in, new_browser, sign_up

User.objects.create_user("alice", "alice@example.org", "correct horse battery staple")
print(log_in(new_browser(HTTP_HOST="localhost"), identifier="alice").json()["status"])
print(log_in(new_browser(HTTP_HOST="localhost"), identifier="Alice@example.org").json()["status"])
print(sign_up(new_browser(HTTP_HOST="localhost"), "bob@example.org").json()["status"])
print(new_browser(HTTP_HOST="localhost").get("/login/").status_code)
"""


@pytest.mark.sqlite  # the site has its own database, so once is enough
def test_every_block_works_in_a_fresh_site(tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.follow(README)
    (migrate,) = blocks(README, "sh")

    site.sh(migrate)

    assert site.python(VISIT).split() == ["granted", "granted", "confirmation_sent", "200"]


def the_example(name: str = "test_a_new_password_is_recorded_and_mailed") -> Callable[..., None]:
    names: dict[str, Any] = {}
    exec(next(block for block in blocks(README, "python") if f"def {name}(" in block), names)
    example: Callable[..., None] = names[name]
    return example


@pytest.mark.django_db(transaction=True)
def test_the_example_test_passes(alice: Any, signed_in: Callable[..., Browser], clock: Clock) -> None:
    the_example()(alice=alice, signed_in=signed_in, clock=clock)


@pytest.mark.django_db(transaction=True)
def test_the_example_test_fails_without_an_event(
    alice: Any, signed_in: Callable[..., Browser], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_core.flows.password_change.record", lambda _event: None)

    with pytest.raises(AuditGap, match="auth_accounts_user"):
        the_example()(alice=alice, signed_in=signed_in, clock=clock)


@pytest.mark.django_db
@pytest.mark.parametrize("has_api", [True, False])
def test_the_example_of_the_pages_passes_without_the_api(
    has_api: bool, alice: Any, signed_in: Callable[..., Browser], settings: Any
) -> None:
    if not has_api:
        settings.ROOT_URLCONF = (path("", include("auth_core.pages.urls")),)

    the_example("test_a_new_password_is_chosen_on_a_page")(alice=alice, signed_in=signed_in)
