"""The app works alone."""

import sys

import pytest
from django.apps import apps
from django.core.checks import run_checks


def test_the_app_keeps_its_label() -> None:
    assert apps.get_app_config("auth_mfa").name == "auth_mfa"


@pytest.mark.django_db
def test_the_checks_of_a_site_with_nothing_else_pass() -> None:
    assert run_checks() == []


def test_no_sibling_is_imported() -> None:
    siblings = {"auth_mfa", "auth_rbac", "auth_sessions", "auth_audit"} - {"auth_mfa"}

    assert not siblings & set(sys.modules)
