"""Production settings of a service that a test has started; nothing that keeps anybody out is switched off.

What is added lets the test count: a hasher that leaves a byte in a file for every
password it evaluates, as many at once as come, and budgets that only the identifier can spend.
"""

import os
from datetime import timedelta

from enterprise_auth.settings.production import *

PASSWORD_HASHERS = ["live.counting.CountingHasher"]
#: So many passwords at once in one worker; as many as come, unless what is measured is the limit.
HASHES = os.environ.get("LIVE_HASHES", "none")
AUTH_CORE = {
    **AUTH_CORE,
    "MAX_PARALLEL_HASHES": None if HASHES == "none" else int(HASHES),
    "BUDGETS": {
        "login": {"identifier": (10, timedelta(minutes=15)), "network": (100_000, timedelta(minutes=15))},
        "answer": {"person": (10, timedelta(minutes=15))},
    },
}
# Twenty logins of one person at once look like guesses while they are on their way, and whoever has no factor would be
# asked for a code by mail; what risk demands has tests of its own.
AUTH_SESSIONS = {**AUTH_SESSIONS, "RISK_BANDS": ()}
MIDDLEWARE = ["live.counting.QueriesMiddleware", *MIDDLEWARE]
if os.environ.get("LIVE_PLANT"):
    INSTALLED_APPS = [*INSTALLED_APPS, "live.planted"]
DATABASES["default"]["ATOMIC_REQUESTS"] = os.environ.get("LIVE_ATOMIC_REQUESTS") == "1"
