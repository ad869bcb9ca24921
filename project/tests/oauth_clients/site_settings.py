"""Production settings of a service whose clients are under test. Its budgets are those of a service."""

from datetime import timedelta

from enterprise_auth.settings.production import *

# Clients cache the key set for two seconds, so that keys rotate while a test runs.
# Devices wait a second between two polls.
AUTH_OAUTH = {
    **AUTH_OAUTH,
    "JWKS_LIFETIME": timedelta(seconds=2),
    "DEVICE_INTERVAL": timedelta(seconds=1),
}
# The applications are on this machine, and hear of logouts there.
AUTH_CORE = {**AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
# A user without a factor would be asked for a code by mail. Other tests cover the demands of risk.
AUTH_SESSIONS = {**AUTH_SESSIONS, "RISK_BANDS": ()}
