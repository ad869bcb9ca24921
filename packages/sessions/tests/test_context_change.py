"""After a change of context a session stays valid, but its evidence is not fresh until a step-up (ASVS 8.2.4)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from auth_core.assurance.evidence import Evidence, Method, check_assurance, fresh_evidence
from auth_core.assurance.levels import Demand
from auth_core.contracts import Challenged, Purpose, Transport
from auth_core.errors import InsufficientUserAuthentication, LoginExpired, MoreProofRequired
from auth_core.login.journey import advance
from auth_core.login.step_up import begin_step_up
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in
from auth_core.testing.counts import counted
from auth_core.testing.events import recording
from auth_core.testing.settings import redis_url
from auth_sessions import context_change
from auth_sessions.checks import check_risk
from auth_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

LONDON, LEEDS, SYDNEY, PRIVATE = "81.2.69.160", "81.2.69.7", "1.1.1.1", "10.0.0.7"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"

AWAY = Client(ip=SYDNEY, network=SYDNEY, user_agent=FIREFOX)

#: A view that requires a fresh proof.
FRESH_PROOF = "/api/v1/asking-more/"


@pytest.fixture(autouse=True)
def countries(tmp_path: Path, settings: Any) -> None:
    """A GeoIP file with two countries."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-Country")
    for network, code in (("81.2.69.0/24", "GB"), ("1.1.1.0/24", "AU")):
        writer.insert_network(IPSet([network]), {"country": {"iso_code": code}})
    path = tmp_path / "countries.mmdb"
    writer.to_db_file(str(path))
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "GEOIP_PATH": str(path)}


class MovingCaller:
    """A caller with a token and a location."""

    def __init__(self, ip: str = LONDON, user_agent: str = CHROME.format(142)) -> None:
        self.credential = ""
        self.move(ip, user_agent)
        granted = log_in(self.http, transport="token")
        self.credential = granted.json()["credential"]

    def move(self, ip: str = LONDON, user_agent: str = CHROME.format(142)) -> None:
        """Continue from another address or browser."""
        self.http = Browser(REMOTE_ADDR=ip, HTTP_USER_AGENT=user_agent)

    def get(self, path: str) -> Any:
        """Request *path* with the credential."""
        return self.http.get(path, HTTP_AUTHORIZATION=f"Session {self.credential}")

    def needs_proof(self) -> bool:
        """Tell whether a view that requires a fresh proof asks for one."""
        answer = self.get(FRESH_PROOF)
        assert answer.status_code == 200 or answer.json()["code"] == InsufficientUserAuthentication.code
        return bool(answer.status_code != 200)

    def prove(self, alice: Any, *, begun_before: bool = False) -> None:
        """Step up in Sydney, with the password."""
        session = Session.objects.get()
        before = [Evidence.now(Method.PASSWORD)] if begun_before else []
        login = PendingLogin.objects.open(
            user=alice,
            backend=session.backend,
            purpose=Purpose.STEP_UP,
            transport=Transport.TOKEN,
            evidence=before,
            session_id=session.pk,
        )
        if not begun_before:
            login.add_evidence(Evidence.now(Method.PASSWORD))
        outcome: Any = advance(login, AWAY)
        self.credential = outcome.grant.credential


@pytest.fixture
def caller(alice: Any) -> MovingCaller:
    """A caller who signed in in London."""
    return MovingCaller()


@pytest.mark.asvs("8.2.4")
@pytest.mark.parametrize(
    ("moved", "needs_proof"),
    [
        ({}, False),
        ({"ip": LEEDS}, False),
        ({"ip": PRIVATE}, False),
        ({"user_agent": CHROME.format(143)}, False),
        ({"ip": SYDNEY}, True),
        ({"user_agent": FIREFOX}, True),
        ({"user_agent": ""}, True),
        ({"ip": SYDNEY, "user_agent": FIREFOX}, True),
    ],
)
def test_another_country_or_browser_requires_a_new_proof(
    moved: dict[str, str], needs_proof: bool, caller: MovingCaller
) -> None:
    assert not caller.needs_proof()

    caller.move(**moved)

    assert caller.needs_proof() is needs_proof
    assert caller.get("/api/v1/me/").status_code == 200


def test_without_configured_changes_no_proof_is_required(caller: MovingCaller, settings: Any) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "CONTEXT_CHANGES": ()}

    caller.move(SYDNEY, FIREFOX)

    assert not caller.needs_proof()


def test_a_site_may_require_a_proof_in_another_network(caller: MovingCaller, settings: Any) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "CONTEXT_CHANGES": ("network",)}
    assert not caller.needs_proof()

    caller.move(LEEDS)

    assert caller.needs_proof()


@pytest.mark.asvs("8.2.4")
def test_a_step_up_binds_the_session_to_the_new_context(alice: Any, caller: MovingCaller) -> None:
    caller.move(SYDNEY, FIREFOX)
    assert caller.needs_proof()

    caller.prove(alice)

    assert not caller.needs_proof()
    assert (Session.objects.get().country, Session.objects.get().network) == ("AU", SYDNEY)
    caller.move()
    assert caller.needs_proof()


def add_totp(session: Session) -> None:
    """Add a fresh second factor to the session."""
    session.evidence_stored = [evidence.to_json() for evidence in (*session.facts.evidence, Evidence.now(Method.TOTP))]
    session.save(update_fields=["evidence_stored"])


@pytest.mark.asvs("8.2.4")
def test_a_password_in_another_context_does_not_keep_the_second_factor(alice: Any, caller: MovingCaller) -> None:
    add_totp(Session.objects.get())

    caller.prove(alice)

    assert [evidence.method for evidence in Session.objects.get().facts.evidence] == [Method.PASSWORD]


@pytest.mark.asvs("8.2.4")
def test_a_step_up_in_another_context_requires_all_earlier_factors(alice: Any, caller: MovingCaller) -> None:
    session = Session.objects.get()
    add_totp(session)
    here, away = session.facts, replace(session.facts, context_changed=("country",))
    arguments = {"user": alice, "demand": Demand.NONE, "max_age": None, "backend": session.backend, "client": AWAY}

    assert isinstance(begin_step_up(session=here, **arguments), Challenged)
    # No user of this site has a second factor. Without the context change the password would do.
    with pytest.raises(MoreProofRequired):
        begin_step_up(session=away, **arguments)


def test_a_step_up_expires_when_the_context_changes(alice: Any, caller: MovingCaller) -> None:
    with pytest.raises(LoginExpired):
        caller.prove(alice, begun_before=True)

    assert Session.objects.get().country == "GB"


def test_the_old_credential_is_invalid_after_a_step_up(alice: Any, caller: MovingCaller) -> None:
    stolen = caller.credential
    caller.prove(alice)

    caller.credential = stolen
    caller.move(SYDNEY, FIREFOX)

    assert caller.get("/api/v1/me/").status_code == 401


def test_an_unreadable_geoip_file_requires_a_new_proof(caller: MovingCaller, settings: Any, tmp_path: Path) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "GEOIP_PATH": str(tmp_path / "gone.mmdb")}
    assert not caller.needs_proof()

    caller.move(LEEDS)

    assert caller.needs_proof()


def test_the_denial_is_recorded_with_its_reason(caller: MovingCaller) -> None:
    caller.move(SYDNEY)

    with recording() as events:
        caller.get(FRESH_PROOF)

    assert [(event.name.value, event.reason, event.client.ip) for event in events if event.client] == [
        ("auth.access.denied", "session_context_changed", SYDNEY)
    ]


def test_a_context_change_costs_no_query(caller: MovingCaller) -> None:
    caller.get("/api/v1/me/")
    with counted() as before_the_change:
        caller.get("/api/v1/me/")

    caller.move(SYDNEY, FIREFOX)
    with counted() as away:
        caller.get("/api/v1/me/")

    assert (away.queries, away.round_trips) == (before_the_change.queries, before_the_change.round_trips)


def test_a_session_read_from_the_database_has_no_context_change(caller: MovingCaller) -> None:
    caller.move(SYDNEY, FIREFOX)

    assert Session.objects.get().facts.context_changed == ()


def test_work_without_a_request_and_anonymous_sessions_have_no_context_change(alice: Any, caller: MovingCaller) -> None:
    session = Session.objects.get()

    assert context_change.context_changes(session, None) == ()
    assert context_change.context_changes(Session(ip=LONDON, country="GB"), Client(ip=SYDNEY)) == ()
    assert context_change.context_changes(session, Client(ip=SYDNEY)) == ("country", "user_agent")


def test_an_unknown_context_does_not_count_as_changed(alice: Any) -> None:
    session = Session(user=alice, ip=None, user_agent="", country="")

    assert context_change.context_changes(session, Client(ip=SYDNEY, user_agent=FIREFOX)) == ()


def test_after_a_context_change_no_evidence_is_fresh(alice: Any, caller: MovingCaller) -> None:
    session = Session.objects.get()
    session.context_changed = ("country",)

    assert fresh_evidence(session.facts, None) == []
    with pytest.raises(InsufficientUserAuthentication) as refused:
        check_assurance(session.facts, session.facts.assurance)
    assert refused.value.context_changed
    assert session.facts.authenticated_at <= timezone.now()


def test_an_unknown_context_change_is_reported(settings: Any) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "CONTEXT_CHANGES": ("country", "weather")}

    assert [error.id for error in check_risk()] == ["auth_sessions.E024"]
