"""The quick flush after tests that commit."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db.models.signals import post_migrate

from auth_core.models import EmailAddress
from auth_core.testing import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _flushed_once() -> None:
    flush()


@pytest.fixture
def signals() -> Iterator[Mock]:
    receiver = Mock()
    post_migrate.connect(receiver, weak=False)
    yield receiver
    post_migrate.disconnect(receiver)


def flush(**options: Any) -> None:
    """Flush as Django's test cases do."""
    call_command("flush", **{"verbosity": 0, "interactive": False, "reset_sequences": False, **options})


def made_by_migrations() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (ContentType, Permission)]


def test_rows_of_a_test_are_deleted() -> None:
    factories.make_user()
    Group.objects.create(name="editors").permissions.set(Permission.objects.all()[:3])
    flush()
    assert not any(
        model.objects.exists() for model in (get_user_model(), EmailAddress, Group, Group.permissions.through)
    )


def test_rows_that_migrations_made_are_put_back() -> None:
    made = made_by_migrations()
    assert all(made)
    group = Group.objects.create(name="editors")
    first, second, *_ = Permission.objects.all()
    Permission.objects.filter(pk=first.pk).update(name="renamed")
    second.delete()
    group.permissions.add(Permission.objects.create(name="added", codename="add", content_type=first.content_type))
    ContentType.objects.create(app_label="gone", model="thing")
    flush()
    assert made_by_migrations() == made


def test_no_signal_is_sent_after_a_test(signals: Mock) -> None:
    flush()
    signals.assert_not_called()


def test_the_command_itself_is_djangos(signals: Mock) -> None:
    Permission.objects.all().delete()
    flush(reset_sequences=True)
    signals.assert_called()
    assert Permission.objects.exists()
