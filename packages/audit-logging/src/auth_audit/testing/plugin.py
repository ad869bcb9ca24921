"""A pytest plugin: ``-p auth_audit.testing.plugin``. Without it, no test with transactions could be cleaned up."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import TransactionTestCase

from auth_core.testing.tables import TRAIL


def pytest_configure(config: pytest.Config) -> None:
    """Say which table is the trail, so that its entries are counted apart and are no change themselves."""
    TRAIL.add("auth_audit_auditentry")
    # Made from entries, by the sealer; and how far somebody outside was told.
    TRAIL.update({"auth_audit_seal", "auth_audit_treenode", "auth_audit_checkpoint", "auth_audit_delivery"})


@pytest.fixture(autouse=True, scope="session")
def flush_without_guards() -> Iterator[None]:
    """Lift the guards while Django flushes the database after a test."""
    from auth_audit.testing.trail import lifted_guards  # noqa: PLC0415 - Django is set up only now

    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public seam

    def flush_lifted(self: Any) -> None:
        with lifted_guards():
            flush(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_lifted)
        yield
