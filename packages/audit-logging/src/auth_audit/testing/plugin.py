"""A pytest plugin: ``-p auth_audit.testing.plugin``. Tests with transactions need it to flush the database."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import TransactionTestCase

from auth_core.testing.tables import TRAIL


def pytest_configure(config: pytest.Config) -> None:
    """Register the tables of the trail. Their rows are counted apart and are not changes themselves."""
    TRAIL.add("auth_audit_auditentry")
    # Written by the sealer and by delivery.
    TRAIL.update({"auth_audit_seal", "auth_audit_treenode", "auth_audit_checkpoint", "auth_audit_delivery"})


@pytest.fixture(autouse=True, scope="session")
def flush_without_guards() -> Iterator[None]:
    """Remove the guards while Django flushes the database after a test."""
    from auth_audit.testing.trail import without_guards  # noqa: PLC0415 - Django is not set up before

    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public hook

    def flush_unguarded(self: Any) -> None:
        with without_guards():
            flush(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_unguarded)
        yield
