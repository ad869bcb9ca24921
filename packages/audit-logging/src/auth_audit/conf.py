"""The settings of this package: ``AUTH_AUDIT = {...}``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from auth_core.options import Option, PackageSettings


class AuditSettings(PackageSettings):
    """The options of ``AUTH_AUDIT``."""

    setting = "AUTH_AUDIT"

    MONTHS_AHEAD = Option(
        3, unit="months", doc="How many partitions are created ahead of the current one (PostgreSQL)."
    )
    SIGNING_KEYS = Option[Mapping[str, str]](
        {},
        doc="Key id to base64url of 32 random bytes (Ed25519). The first key signs checkpoints. If empty, keys are derived"
        " from `FIELD_KEYS`. Separate keys are needed only by the process that seals.",
    )
    VERIFYING_KEYS = Option[Mapping[str, str]](
        {}, doc="Key id to base64url of further trusted public keys: retired ones, or those of the sealer."
    )
    BATCH = Option(10_000, unit="entries", doc="Maximum number of entries that one checkpoint adds.")
    SEAL_LAG = Option(timedelta(minutes=5), doc="Age of an unsealed entry from which a warning is logged.")
    SINKS = Option[Sequence[Mapping[str, str]]](
        (),
        doc="Where else checkpoints are sent: `{'kind': 'file', 'path': …}`, `{'kind': 'syslog', 'address': 'host:port'}`,"
        " `{'kind': 'log'}`. With `'entries': 'yes'` the sealed entries are sent as well.",
    )


audit = AuditSettings()
