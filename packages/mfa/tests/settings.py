"""A site with auth_core, this package and Django's own users, without sibling packages."""

from auth_core.testing.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "auth_mfa"]
AUTH_CORE = {**AUTH_CORE, "LOGIN_STEPS": ["auth_mfa.login.SecondFactor"]}
