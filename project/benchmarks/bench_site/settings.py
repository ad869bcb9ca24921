"""Production settings with one more route and scope."""

from enterprise_auth.settings.production import *

ROOT_URLCONF = "bench_site.urls"
EARLY_TOKEN_ROUTES = ["orders"]
AUTH_OAUTH = {**AUTH_OAUTH, "SCOPES": {"orders:read": "See your orders"}}
