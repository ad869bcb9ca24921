"""The migrations have every column, index and option of the models."""

import io

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def test_the_models_are_those_of_the_migrations() -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=io.StringIO())
