"""What administrators prove beside a permission: the setting, its checks, and the address that asks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_core.administration import MAX_AGES, Act, can_prove, check_administrator, demanded, max_age_of
from auth_core.administration_checks import check_administration, check_administration_is_guarded
from auth_core.assurance.levels import Assurance
from auth_core.people.lookup import SECOND_FACTORS_PART, carry_parts
from auth_core.registries import snapshot_parts
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.sessions import evidence_for, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.asvs("8.4.2")]

INVITATIONS = "/api/v1/invitations/"
GUARD = "auth_core.pages.administration.AdministrationMiddleware"


def demand(settings: Any, **said: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "ADMINISTRATION": said}


def ids(found: list[Any]) -> list[str]:
    return [problem.id for problem in found]


def test_a_site_that_demands_nothing_asks_for_the_permission_alone() -> None:
    caller = sign_in(make_administrator())

    assert demanded() is None
    check_administrator(None, Act.CRITICAL)
    assert caller.get(INVITATIONS).status_code == 200


def test_an_administrator_is_asked_for_more_and_lately(settings: Any) -> None:
    demand(settings, assurance="aal2", read=timedelta(hours=2))
    root = make_administrator()
    old = [replace(piece, at=timezone.now() - timedelta(hours=1)) for piece in evidence_for("aal2")]
    stale = sign_in(root, evidence=old)

    by_password = sign_in(root).get(INVITATIONS)
    read, wrote = stale.get(INVITATIONS), stale.post(INVITATIONS, {"email": "bob@example.org"}, "application/json")

    assert (by_password.status_code, by_password.json()["code"]) == (401, "insufficient_user_authentication")
    assert (by_password.json()["required_assurance"], by_password.json()["max_age"]) == ("aal2", 7200)
    assert 'acr_values="aal2", max_age="7200"' in by_password.headers["WWW-Authenticate"].replace(
        "max_age=7200", 'max_age="7200"'
    )
    assert (read.status_code, wrote.status_code, wrote.json()["max_age"]) == (200, 401, 1800)
    assert sign_in(root, assurance="aal2").get(INVITATIONS).status_code == 200


def test_whoever_may_not_is_told_that_whatever_they_proved(settings: Any) -> None:
    demand(settings, assurance="aal2")

    assert sign_in(make_user()).get(INVITATIONS).status_code == 403


def test_each_act_has_an_age_of_its_own_and_a_site_may_change_one(settings: Any) -> None:
    demand(settings, assurance="aal3", critical=timedelta(minutes=1))

    assert demanded() is Assurance.AAL3
    assert max_age_of(Act.CRITICAL) == timedelta(minutes=1)
    assert max_age_of(Act.CHANGE) == MAX_AGES[Act.CHANGE]


@pytest.mark.parametrize(
    ("methods", "reached"),
    [
        ((), Assurance.AAL1),
        (("email_code",), Assurance.AAL1),
        (("totp",), Assurance.AAL2),
        (("passkey",), Assurance.AAL3),
    ],
)
def test_what_somebody_has_says_what_they_could_prove(methods: tuple[str, ...], reached: Assurance) -> None:
    person = make_user()
    carry_parts(person, {SECOND_FACTORS_PART: [{"method": method} for method in methods]})

    assert [can_prove(person, level) for level in Assurance] == [level <= reached for level in Assurance]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"assurance": "strong"}, "unknown assurance 'strong' (known levels: aal1, aal2, aal3)"),
        ({"assurance": "aal2", "write": timedelta(hours=1)}, "unknown key write (known keys: assurance, read, change, critical)"),
        ({"assurance": "aal2", "read": 3600}, "'read' must be a positive timedelta"),
        ({"read": timedelta(hours=1)}, "'assurance' is missing"),
    ],
)
def test_a_demand_that_is_malformed_stops_the_start(said: dict[str, Any], told: str, settings: Any) -> None:
    demand(settings, **said)

    found = check_administration()

    assert ids(found) == ["auth_core.E014"]
    assert told in found[0].msg
    assert ids(check_administration_is_guarded()) == ["auth_core.W002"]


def test_a_demand_that_nobody_can_meet_stops_the_start_and_locks_nobody_out(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    demand(settings, assurance="aal2")

    assert ids(check_administration()) == ["auth_core.E015"]
    monkeypatch.setitem(snapshot_parts._entries, SECOND_FACTORS_PART, lambda user: [])
    assert check_administration() == []


@pytest.mark.parametrize("acr", [None, "aal1"])
def test_a_deployment_is_warned_where_a_password_is_enough(acr: str | None, settings: Any) -> None:
    demand(settings, **({} if acr is None else {"assurance": acr}))

    assert ids(check_administration_is_guarded()) == ["auth_core.W002"]
    assert check_administration() == []


def test_a_site_with_the_admin_must_have_what_asks_there(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_core.administration_checks.apps.is_installed", lambda name: True)
    demand(settings, assurance="aal1")

    assert ids(check_administration()) == ["auth_core.E016"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, GUARD]
    assert check_administration() == []
    settings.ROOT_URLCONF = "auth_core.api.urls"
    assert ids(check_administration()) == ["auth_core.E017"]
