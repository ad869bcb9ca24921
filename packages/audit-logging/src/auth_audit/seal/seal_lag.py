"""How far sealing lags behind, and which transaction delays it."""

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
    """The delay of sealing.

    Args:
        age: Age of the oldest unsealed entry. Zero if there is none.
        culprit: The transaction that sealing waits for. ``None`` if there is none, or it is not visible to us.
    """

    age: timedelta
    culprit: Culprit | None

    @property
    def is_late(self) -> bool:
        """Whether the delay exceeds the setting SEAL_LAG."""
        return self.age > audit.SEAL_LAG

    @property
    def metrics(self) -> dict[str, float]:
        """The values for a metrics page. The pid is 0 if sealing waits for no transaction."""
        return {
            "auth_audit_seal_lag_seconds": self.age.total_seconds(),
            "auth_audit_seal_lag_culprit_pid": float(self.culprit.pid if self.culprit and self.age else 0),
        }


def seal_lag(alias: str = "") -> SealLag:
    """Measure the delay. One index lookup, however long the trail is."""
    alias = alias or router.db_for_read(AuditEntry)
    last = checkpoints.latest(alias)
    sealed_below = last.signed["checkpoint"]["horizon"] if last else None
    entries = unsealed(alias)
    if sealed_below is None:
        oldest = entries.order_by("id").first()
    else:
        oldest = entries.filter(transaction_id__gte=sealed_below).order_by("transaction_id", "id").first()
    age = max(timezone.now() - oldest.recorded_at, _NONE) if oldest else _NONE
    return SealLag(age, culprit(alias) if oldest else None)


def warn_when_late(alias: str = "") -> int:
    """Log a warning if sealing lags too far behind. Return 1 if it does (a sweep)."""
    lag = seal_lag(alias)
    if lag.is_late:
        blocker = lag.culprit
        logger.warning(
            "Sealing of the audit trail lags %s behind. It waits for process %s.",
            lag.age,
            blocker.pid if blocker else "-",
            extra={"pid": blocker.pid if blocker else 0, "database": blocker.database if blocker else ""},
        )
    return int(lag.is_late)


def probe() -> Probe:
    """Return whether sealing keeps up, for ``AUTH_CORE["READINESS"]``.

    It never reports a failure, because entries are still appended.
    """
    return Probe("audit_sealing", Status.DEGRADED if seal_lag().is_late else Status.OK)
