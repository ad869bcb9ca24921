"""Settings of a server that does not ask for the second factor."""

from enterprise_auth.settings.development import *

AUTH_CORE = {**AUTH_CORE, "LOGIN_STEPS": []}
