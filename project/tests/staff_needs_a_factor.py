"""Settings of a started service in which staff must have a second factor, and an app alone counts."""

from live.site import *  # noqa: F403 - a settings module

AUTH_MFA = {"REQUIRED_OF": ["staff"], "COUNTED_METHODS": ["totp", "passkey", "security_key"]}
