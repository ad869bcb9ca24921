"""The settings of this package: ``AUTH_AUDIT = {...}``."""

from auth_core.options import Option, PackageSettings


class AuditSettings(PackageSettings):
    """What a host may say in ``AUTH_AUDIT``."""

    setting = "AUTH_AUDIT"

    MONTHS_AHEAD = Option(3, unit="months", doc="How many partitions stand ready after the current one (PostgreSQL).")


audit = AuditSettings()
