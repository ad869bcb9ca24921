"""What one process changes, the next request in every other one sees, with the layer before Django and without it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from attacks.stage import Caller
from oauth_clients.callers import Application, Nodes, bearer, caller, sign_in, tokens

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


@dataclass
class Access:
    """What an application got for a person in the first process, and has used in the other one."""

    nodes: Nodes
    email: str
    browser: Caller
    application: Application
    tokens: dict[str, Any]
    other: Caller

    def answers(self) -> dict[str, Any]:
        """Ask the other process for each use of the tokens."""
        access = self.tokens["access_token"]
        return {
            "refresh": self.application.refresh(self.other, self.tokens["refresh_token"]).status_code,
            "introspection": self.application.post(self.other, "/oauth/introspect", token=access).json().get("active"),
            "userinfo": bearer(self.other, "/oauth/userinfo", access),
            "bearer": bearer(self.other, "/api/v1/me/", access),
        }


#: A token opens no route of the API that does not declare a scope. A refused one is not even recognised there.
GOOD = {"refresh": 200, "introspection": True, "userinfo": 200, "bearer": 403}
REFUSED = {"refresh": 400, "introspection": False, "userinfo": 401, "bearer": 401}


@pytest.fixture(scope="module", params=["early", "late"])
def other(nodes: Nodes, request: Any) -> Any:
    """The process that changes nothing."""
    return getattr(nodes, request.param)


@pytest.fixture
def access(nodes: Nodes, other: Any) -> Access:
    """Tokens that the other process has accepted twice, so that it remembers what it remembers."""
    email, application, browser = nodes.people.pop(), nodes.applications.pop(), caller(nodes.first)
    assert sign_in(browser, email).status_code == 303
    made = Access(nodes, email, browser, application, tokens(browser, application), caller(other))
    assert [made.answers() for _time in range(2)] == [GOOD, GOOD]
    return made


def end_by(function: str, access: Access) -> None:
    """Call a function of an administrator on the account."""
    access.nodes.change(
        "from django.contrib.auth import get_user_model\n"
        f"from auth_core.people import locking\nlocking.{function}(user=get_user_model().objects.get(email={access.email!r}))"
    )


def disable(access: Access) -> None:
    end_by("disable_account", access)


def lock(access: Access) -> None:
    end_by("lock_account", access)


def report_login(access: Access) -> None:
    """Follow the link of the mail about a login in a new browser."""
    sign_in(caller(access.nodes.first), access.email)
    link = access.nodes.mails.link_to(access.email)
    browser = caller(access.nodes.first)
    opened = browser.get(link.removeprefix(access.nodes.first.url))
    done = browser.submit(opened.headers["Location"])
    assert done.status_code in (200, 303), done.text


@pytest.mark.parametrize("end", [disable, lock, report_login])
def test_the_end_of_an_account_is_seen_in_every_process(end: Callable[[Access], None], access: Access) -> None:
    end(access)

    assert access.answers() == REFUSED


def test_a_revoked_token_is_inactive_in_every_process(access: Access) -> None:
    revoked = access.application.post(access.browser, "/oauth/revoke", token=access.tokens["access_token"])

    assert revoked.status_code == 200
    assert access.answers() == {**REFUSED, "refresh": 200}


def test_a_disabled_application_is_refused_in_every_process(access: Access) -> None:
    access.nodes.first.execute(
        "UPDATE auth_oauth_applicationpolicy SET is_active = false WHERE application_id ="
        " (SELECT id FROM oauth2_provider_application WHERE client_id = %s)",
        access.application.id,
    )

    # The application does not authenticate, so introspection says nothing.
    assert access.answers() == {"refresh": 401, "introspection": None, "userinfo": 401, "bearer": 401}


def test_a_replaced_secret_is_refused_in_every_process(access: Access) -> None:
    secret = "b" * 48
    access.nodes.change(
        "from oauth2_provider.models import get_application_model\n"
        f"row = get_application_model().objects.get(client_id={access.application.id!r})\n"
        f"row.client_secret = {secret!r}\nrow.save()"
    )

    assert access.answers() == {**GOOD, "refresh": 401, "introspection": None}
    access.application.secret = secret
    assert access.answers() == GOOD
