"""The app works without its siblings."""

import sys

import pytest
from django.apps import apps
from django.core.checks import run_checks


def test_the_app_keeps_its_label() -> None:
    assert apps.get_app_config("auth_rbac").name == "auth_rbac"


@pytest.mark.django_db
def test_the_checks_of_a_minimal_site_pass() -> None:
    assert [message for message in run_checks() if not message.is_silenced()] == []


def test_no_sibling_is_imported() -> None:
    siblings = {"auth_mfa", "auth_rbac", "auth_sessions", "auth_audit"} - {"auth_rbac"}

    assert not siblings & set(sys.modules)
