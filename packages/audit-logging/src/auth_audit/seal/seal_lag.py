"""How far sealing lags behind, and whose transaction holds it back."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import router
from django.utils import timezone

from auth_audit.conf import audit
from auth_audit.models import AuditEntry
from auth_audit.seal import checkpoints
from auth_audit.seal.sealer import unsealed
from auth_audit.seal.transaction_horizon import Culprit, culprit
from auth_core.observability.health import Probe, Status

logger = logging.getLogger(__name__)

_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class SealLag:
    """The lag.

    Args:
        age: Of the oldest entry that waits; zero when none does.
        culprit: Whose transaction holds the horizon; ``None``: nobody's that we are told of, the sealer does not run.
    """

    age: timedelta
    culprit: Culprit | None

    @property
    def is_late(self) -> bool:
        """Whether somebody should be told."""
        return self.age > audit.SEAL_LAG

    @property
    def metrics(self) -> dict[str, float]:
        """The figures of a metrics page; the pid is 0 when nobody holds the horizon."""
        return {
            "auth_audit_seal_lag_seconds": self.age.total_seconds(),
            "auth_audit_seal_lag_culprit_pid": float(self.culprit.pid if self.culprit and self.age else 0),
        }


def seal_lag(alias: str = "") -> SealLag:
    """Measure the lag; one look into an index, however long the trail."""
    alias = alias or router.db_for_read(AuditEntry)
    last = checkpoints.latest(alias)
    sealed_below = last.signed["checkpoint"]["horizon"] if last else None
    waiting = unsealed(alias)
    if sealed_below is None:
        oldest = waiting.order_by("id").first()
    else:
        oldest = waiting.filter(transaction_id__gte=sealed_below).order_by("transaction_id", "id").first()
    age = max(timezone.now() - oldest.recorded_at, _NONE) if oldest else _NONE
    return SealLag(age, culprit(alias) if oldest else None)


def warn_when_late(alias: str = "") -> int:
    """Write a warning when sealing lags too far behind; return 1 if so (a sweep)."""
    lag = seal_lag(alias)
    if lag.is_late:
        held_by = lag.culprit
        logger.warning(
            "Sealing of the trail lags %s behind.",
            lag.age,
            extra={"pid": held_by.pid if held_by else 0, "database": held_by.database if held_by else ""},
        )
    return int(lag.is_late)


def probe() -> Probe:
    """See whether sealing keeps up; for ``AUTH_CORE["READINESS"]``. Entries are kept all the same: never a failure."""
    return Probe("audit_sealing", Status.DEGRADED if seal_lag().is_late else Status.OK)
