"""The settings of this app: ``AUTH_FEDERATION = {...}``."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from auth_core.options import Option, PackageSettings


class FederationSettings(PackageSettings):
    """The keys of ``AUTH_FEDERATION``."""

    setting = "AUTH_FEDERATION"

    PROVIDERS = Option[Mapping[str, Mapping[str, Any]]](
        {},
        doc="Identity providers by name, which is part of their addresses and never changes. Each has its options: `kind`"
        " ('google', 'github', 'microsoft', 'apple', 'gitlab', 'linkedin', 'openid', 'oauth2', or the dotted path of a class),"
        " `client_id`, `client_secret`, and those in the guide to federation.",
    )
    COOKIE = Option("__Host-federation", doc="Name of the cookie that binds a sign-in at a provider to its browser.")
    ATTEMPT_LIFETIME = Option(timedelta(minutes=10), doc="How long a person may take at the provider.")
    ANSWER_LIFETIME = Option(
        timedelta(minutes=1),
        doc="How long an answer that a provider posts may wait for the browser to come back with its cookie.",
    )
    LEEWAY = Option(timedelta(seconds=10), doc="How far the clock of a provider may differ.")
    METADATA_LIFETIME = Option(timedelta(hours=1), doc="How long the metadata of a provider is used.")
    PROOF_MAX_AGE = Option(
        timedelta(minutes=10), doc="Maximum age of the proof that connecting and disconnecting a provider requires."
    )


federation = FederationSettings()
