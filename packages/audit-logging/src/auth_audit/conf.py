"""The settings of this package: ``AUTH_AUDIT = {...}``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from auth_core.options import Option, PackageSettings


class AuditSettings(PackageSettings):
    """What a host may say in ``AUTH_AUDIT``."""

    setting = "AUTH_AUDIT"

    MONTHS_AHEAD = Option(3, unit="months", doc="How many partitions stand ready after the current one (PostgreSQL).")
    SIGNING_KEYS = Option[Mapping[str, str]](
        {},
        doc="Key id to base64url of 32 random bytes (Ed25519): the first signs checkpoints. Empty: keys are derived from"
        " `FIELD_KEYS`, so that nothing is unsigned; with keys of its own, only the sealer's process needs them.",
    )
    VERIFYING_KEYS = Option[Mapping[str, str]](
        {}, doc="Key id to base64url of further public keys that are believed: former ones, or the sealer's."
    )
    BATCH = Option(10_000, unit="entries", doc="Most entries that one checkpoint adds.")
    SEAL_LAG = Option(timedelta(minutes=5), doc="How old an entry that is not sealed may be before somebody is told.")
    SINKS = Option[Sequence[Mapping[str, str]]](
        (),
        doc="Where checkpoints go besides: `{'kind': 'file', 'path': …}`, `{'kind': 'syslog', 'address': 'host:port'}`,"
        " `{'kind': 'log'}`; with `'entries': 'yes'` the sealed entries as well.",
    )


audit = AuditSettings()
