"""The proof that administrators need: the setting, its checks and an endpoint that requires it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_core.administration import MAX_AGES, Act, can_prove, check_administrator, demanded, max_age_of
from auth_core.assurance.levels import Assurance
from auth_core.checks import check_administration, check_administration_is_guarded
from auth_core.people.lookup import SECOND_FACTORS_PART, carry_parts
from auth_core.registries import snapshot_parts
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.sessions import evidence_for, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.asvs("8.4.2")]

INVITATIONS = "/api/v1/invitations/"
GUARD = "auth_core.pages.administration.AdministrationMiddleware"


def demand(settings: Any, **demands: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "ADMINISTRATION": demands}


def ids(problems: list[Any]) -> list[str]:
    return [problem.id for problem in problems]


def test_without_a_demand_the_permission_is_enough() -> None:
    caller = sign_in(make_administrator())

    assert demanded() is None
    check_administrator(None, Act.CRITICAL)
    assert caller.get(INVITATIONS).status_code == 200


def test_an_administrator_needs_a_recent_second_factor(settings: Any) -> None:
    demand(settings, assurance="aal2", read=timedelta(hours=2))
    root = make_administrator()
    old = [replace(evidence, at=timezone.now() - timedelta(hours=1)) for evidence in evidence_for("aal2")]
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


def test_without_the_permission_the_answer_is_403(settings: Any) -> None:
    demand(settings, assurance="aal2")

    assert sign_in(make_user()).get(INVITATIONS).status_code == 403


def test_each_act_has_its_own_maximum_age_and_a_site_may_change_it(settings: Any) -> None:
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
def test_the_factors_of_a_person_determine_the_level_they_can_prove(
    methods: tuple[str, ...], reached: Assurance
) -> None:
    person = make_user()
    carry_parts(person, {SECOND_FACTORS_PART: [{"method": method} for method in methods]})

    assert [can_prove(person, level) for level in Assurance] == [level <= reached for level in Assurance]


@pytest.mark.parametrize(
    ("demands", "text"),
    [
        ({"assurance": "strong"}, "unknown assurance 'strong' (known levels: aal1, aal2, aal3)"),
        (
            {"assurance": "aal2", "write": timedelta(hours=1)},
            "unknown key write (known keys: assurance, read, change, critical)",
        ),
        ({"assurance": "aal2", "read": 3600}, "'read' must be a positive timedelta"),
        ({"read": timedelta(hours=1)}, "'assurance' is missing"),
    ],
)
def test_a_malformed_demand_is_a_check_error(demands: dict[str, Any], text: str, settings: Any) -> None:
    demand(settings, **demands)

    problems = check_administration()

    assert ids(problems) == ["auth_core.E014"]
    assert text in problems[0].msg
    assert ids(check_administration_is_guarded()) == ["auth_core.W002"]


def test_a_demand_that_no_factor_can_meet_is_a_check_error(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    demand(settings, assurance="aal2")

    assert ids(check_administration()) == ["auth_core.E015"]
    monkeypatch.setitem(snapshot_parts._entries, SECOND_FACTORS_PART, lambda user: [])
    assert check_administration() == []


@pytest.mark.parametrize("acr", [None, "aal1"])
def test_a_deployment_check_warns_if_a_password_is_enough(acr: str | None, settings: Any) -> None:
    demand(settings, **({} if acr is None else {"assurance": acr}))

    assert ids(check_administration_is_guarded()) == ["auth_core.W002"]
    assert check_administration() == []


def test_a_site_with_the_admin_needs_the_middleware(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_core.checks.apps.is_installed", lambda name: True)
    demand(settings, assurance="aal1")

    assert ids(check_administration()) == ["auth_core.E016"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, GUARD]
    assert check_administration() == []
    settings.ROOT_URLCONF = "auth_core.api.urls"
    assert ids(check_administration()) == ["auth_core.E017"]
