"""Production settings of a service started by a test. No protection is disabled.

The additions let the test count: a hasher that appends a byte to a file for every
evaluated password, unlimited parallel hashes, and budgets that only the identifier can spend.
"""

import os
from datetime import timedelta
from pathlib import Path

from enterprise_auth.settings.production import *

PASSWORD_HASHERS = ["live.counters.CountingHasher", "auth_core.oauth.hashers.ClientSecretHasher"]
#: Parallel hashes in one worker. Unlimited, unless the test measures the limit.
HASHES = os.environ.get("LIVE_HASHES", "none")
AUTH_CORE = {
    **AUTH_CORE,
    "MAX_PARALLEL_HASHES": None if HASHES == "none" else int(HASHES),
    "BUDGETS": {
        "login": {"identifier": (10, timedelta(minutes=15)), "network": (100_000, timedelta(minutes=15))},
        "answer": {"person": (10, timedelta(minutes=15))},
    },
}
# Twenty parallel logins of one user look like guesses. A user without a factor would be asked for a code by mail. Other
# tests cover the demands of risk.
AUTH_SESSIONS = {**AUTH_SESSIONS, "RISK_BANDS": ()}
# Services of tests that run at the same time must not collect into one folder: each would delete files of the others.
STATIC_ROOT = Path(os.environ["LIVE_STATIC"])
MIDDLEWARE = ["live.counters.QueriesMiddleware", *MIDDLEWARE]
if os.environ.get("LIVE_PLANT"):
    INSTALLED_APPS = [*INSTALLED_APPS, "live.planted"]
DATABASES["default"]["ATOMIC_REQUESTS"] = os.environ.get("LIVE_ATOMIC_REQUESTS") == "1"
