"""Rules of the policy that cannot be evaluated."""

from typing import Any

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.core.checks import run_checks

from auth_core.testing.browsers import log_in, new_browser
from auth_core.testing.mails import delivered
from auth_mfa.policy import Requirement, requirement_of

pytestmark = pytest.mark.django_db

UNANSWERED = ["roles:auditor", "country:CH", "stuff", "Everyone", "groups:board", "group:", "nobody"]


class Bare(AbstractBaseUser):
    """A user whose model has neither flags nor groups."""

    class Meta:
        app_label = "bare"
        managed = False


@pytest.mark.parametrize("rule", UNANSWERED)
def test_a_rule_that_cannot_be_evaluated_applies_to_every_user(rule: str, alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": [rule]}

    challenged = log_in(new_browser())

    assert requirement_of(alice) is Requirement.REQUIRED
    assert (challenged.status_code, len(delivered())) == (202, 1)
    assert "auth_mfa.E002" in {message.id for message in run_checks()}


@pytest.mark.parametrize("rule", ["staff", "superusers", "group:board"])
def test_a_rule_without_its_user_attribute_applies_to_every_user(rule: str, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": [rule]}

    assert requirement_of(Bare()) is Requirement.REQUIRED


@pytest.mark.parametrize("rule", ["staff", "superusers", "group:board"])
def test_a_rule_without_its_user_attribute_fails_a_check(
    rule: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": [rule]}
    answered = {message.id for message in run_checks()}
    monkeypatch.setattr("auth_mfa.policy.get_user_model", lambda: Bare)

    assert "auth_mfa.E002" not in answered
    assert "auth_mfa.E002" in {message.id for message in run_checks()}
