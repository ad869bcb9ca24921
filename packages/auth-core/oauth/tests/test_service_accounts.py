"""Service accounts at the API of a site: a scope opens the route, and who decides about permissions decides about them."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.utils.module_loading import import_string

from administrators import browser_of_administrator, send, state
from auth_core.authority import authorities
from auth_core.errors import PermissionRefused
from auth_core.events import AuthEvent
from auth_core.oauth.applications.changes import change_application, remove_application
from auth_core.oauth.applications.client_secrets import end_previous_secret, replace_secret
from auth_core.oauth.testing.factories import Registered, make_application
from auth_core.oauth.testing.proofs import KeyHolder
from auth_core.people.service_subject import ServiceSubject
from auth_core.testing.factories import make_user

pytestmark = pytest.mark.django_db

REPORTS = "/api/v1/orders/reports/"


class DecidingBackend:
    """Decides about services, as the backend of a package with roles does."""

    decides_for_services = True
    permissions: set[Any] = set()

    def has_perm(self, subject: Any, permission: str, obj: Any = None) -> bool:
        return (
            isinstance(subject, ServiceSubject)
            and subject.is_active
            and (subject.public_id, permission) in self.permissions
        )


@pytest.fixture(autouse=True)
def scope(settings: Any) -> None:
    """A scope of the site, and a backend that decides."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"orders:read": "See your orders"}}
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "test_service_accounts.DecidingBackend"]
    import_string("test_service_accounts.DecidingBackend").permissions = set()


@pytest.fixture
def robot() -> Registered:
    """A service account that may have the scope."""
    return make_application(
        grant="client-credentials", scopes="orders:read", is_service_account=True, grant_types="client_credentials"
    )


def grant(application: Registered) -> None:
    """Let the application read reports."""
    import_string("test_service_accounts.DecidingBackend").permissions.add((application.policy.pk, "shop.view_report"))


def caller(application: Registered, **parameters: Any) -> Browser:
    """Return a client with a token of the application itself."""
    token = application.post("/oauth/token", grant_type="client_credentials", **parameters).json()["access_token"]
    return Browser(HTTP_AUTHORIZATION=f"Bearer {token}")


def test_a_bound_token_of_a_service_account_needs_its_proof(robot: Registered) -> None:
    grant(robot)
    key = KeyHolder()
    body = robot.post("/oauth/token", grant_type="client_credentials", proof=key.proof()).json()
    token, client = body["access_token"], Browser()
    proof = key.proof("GET", REPORTS, access_token=token)

    bearer = client.get(REPORTS, HTTP_AUTHORIZATION=f"Bearer {token}", HTTP_DPOP=proof)
    malformed = client.get(REPORTS, HTTP_AUTHORIZATION="DPoP a b", HTTP_DPOP=proof)
    bound = client.get(REPORTS, HTTP_AUTHORIZATION=f"DPoP {token}", HTTP_DPOP=proof)

    assert bound.json() == {"caller": str(robot.policy.pk)}
    assert [answer.status_code for answer in (bearer, malformed)] == [401, 401]
    assert bearer.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')
    assert malformed.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')


def test_a_scope_opens_the_route_and_a_permission_the_view(robot: Registered) -> None:
    client = caller(robot)

    assert client.get(REPORTS).status_code == 403
    grant(robot)
    assert client.get(REPORTS).json() == {"caller": str(robot.policy.pk)}
    assert client.post(REPORTS).status_code == 403, "the route declares no scope for this method"


def test_without_the_scope_a_permission_opens_nothing(robot: Registered) -> None:
    grant(robot)
    client = caller(robot)
    other = make_application(grant="client-credentials", is_service_account=True, grant_types="client_credentials")
    grant(other)

    assert client.get(REPORTS).status_code == 200
    assert caller(other).get(REPORTS).status_code == 403


def test_a_backend_that_knows_people_only_is_never_asked(robot: Registered) -> None:
    subject = ServiceSubject(robot.policy.pk)

    assert not subject.has_perm("auth_core.view_invitation")
    assert caller(robot).get("/api/v1/invitations/").status_code == 403


ENDS: dict[str, Any] = {
    "no service account": lambda policy: change_application(policy=policy, is_service_account=False),
    "disabled": lambda policy: change_application(policy=policy, is_active=False),
    "removed": lambda policy: remove_application(policy=policy),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_next_request_is_refused(name: str, robot: Registered) -> None:
    grant(robot)
    client, public_id = caller(robot), robot.policy.pk
    assert client.get(REPORTS).status_code == 200
    assert ServiceSubject(public_id).is_active

    ENDS[name](robot.policy)

    assert client.get(REPORTS).status_code == 401
    assert not ServiceSubject(public_id).is_active


def test_an_application_that_is_no_service_account_is_no_caller() -> None:
    application = make_application(grant="client-credentials", scopes="orders:read")
    grant(application)

    assert caller(application).get(REPORTS).status_code == 401


def test_a_page_of_a_persons_own_data_is_closed_to_services(robot: Registered) -> None:
    assert caller(robot).get("/api/v1/orders/own/").status_code == 403


def test_a_denial_names_the_application_and_no_person(robot: Registered, events: list[Any]) -> None:
    caller(robot).get(REPORTS)

    (denied,) = [event for event in events if event.name is AuthEvent.ACCESS_DENIED]
    assert (denied.subject, denied.application) == (None, robot.policy.pk)


class Covering:
    """An authority that covers nothing."""

    def holds(self, actor: Any, permissions: Any) -> bool:
        return False

    def covers_person(self, actor: Any, person: Any) -> bool:
        return False

    def covers_group(self, actor: Any, group: Any) -> bool:
        return False

    def covers_service(self, actor: Any, service_id: Any) -> bool:
        return False


@pytest.fixture
def above(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every application holds more than any administrator but a superuser."""
    monkeypatch.setitem(authorities._entries, "planted", Covering())


ACTS: dict[str, Any] = {
    "change": lambda policy, actor: change_application(policy=policy, actor=actor, name="Mine"),
    "disable": lambda policy, actor: change_application(policy=policy, actor=actor, is_active=False),
    "replace the secret": lambda policy, actor: replace_secret(policy=policy, actor=actor),
    "end the secret": lambda policy, actor: end_previous_secret(policy=policy, actor=actor),
    "remove": lambda policy, actor: remove_application(policy=policy, actor=actor),
}


@pytest.mark.asvs("8.2.1")
@pytest.mark.usefixtures("above")
@pytest.mark.parametrize("act", ACTS)
def test_nobody_acts_on_an_application_that_holds_more(act: str, robot: Registered) -> None:
    clerk, before = make_user(is_staff=True), state()

    with pytest.raises(PermissionRefused):
        ACTS[act](robot.policy, clerk)

    assert state() == before
    ACTS[act](robot.policy, None)


@pytest.mark.usefixtures("above")
def test_a_superuser_holds_everything(robot: Registered) -> None:
    answer = send(browser_of_administrator(), "post", f"/api/v1/applications/{robot.policy.pk}/secret/")

    assert answer.status_code == 200
