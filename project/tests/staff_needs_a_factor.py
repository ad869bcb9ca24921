"""Settings of a running service that requires an app or a key of staff."""

from live.site import *  # noqa: F403 - a settings module

AUTH_MFA = {"REQUIRED_OF": ["staff"], "COUNTED_METHODS": ["totp", "passkey", "security_key"]}
