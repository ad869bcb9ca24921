"""A pytest plugin: ``-p auth_audit.testing.plugin``. `auth_core.testing` then counts the rows of the trail apart."""

import pytest

from auth_core.testing.tables import TRAIL, WITH_AN_ENTRY


def pytest_configure(config: pytest.Config) -> None:
    """Register the tables of the trail. Their rows are counted apart and are not changes themselves."""
    TRAIL.update({"auth_audit_auditentry", "auth_audit_personalkey"})
    WITH_AN_ENTRY.add("auth_audit_personalkey")
    # Written by the sealer and by delivery.
    TRAIL.update({"auth_audit_seal", "auth_audit_treenode", "auth_audit_checkpoint", "auth_audit_delivery"})
