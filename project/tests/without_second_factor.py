"""Settings of a server that forgot to ask for the second factor."""

from enterprise_auth.settings.development import *

AUTH_CORE = {**AUTH_CORE, "LOGIN_STEPS": []}
