"""Production settings of a service that a test has started; nothing is switched off.

What is added lets the test count: a hasher that leaves a byte in a file for every
password it evaluates, and budgets that only the identifier can spend.
"""

import os
from datetime import timedelta

from enterprise_auth.settings.production import *

PASSWORD_HASHERS = ["live.counting.CountingHasher"]
AUTH_CORE = {
    **AUTH_CORE,
    "BUDGETS": {
        "login": {"identifier": (10, timedelta(minutes=15)), "network": (100_000, timedelta(minutes=15))},
        "answer": {"person": (10, timedelta(minutes=15))},
    },
}
MIDDLEWARE = ["live.counting.QueriesMiddleware", *MIDDLEWARE]
if os.environ.get("LIVE_PLANT"):
    INSTALLED_APPS = [*INSTALLED_APPS, "live.planted"]
DATABASES["default"]["ATOMIC_REQUESTS"] = os.environ.get("LIVE_ATOMIC_REQUESTS") == "1"
