"""The settings of this app: ``AUTH_RESOURCE = {...}``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from auth_core.options import Option, PackageSettings


class ResourceSettings(PackageSettings):
    """The keys of ``AUTH_RESOURCE``."""

    setting = "AUTH_RESOURCE"

    RESOURCE = Option(
        "",
        doc="The URI of this resource server, such as https://api.example.org. It is the `aud` of tokens for it (RFC 8707).",
    )
    NAME = Option("", doc="What people read as its name, in the metadata.")
    DOCUMENTATION = Option("", doc="Address of its documentation, in the metadata.")
    SCOPES = Option[Sequence[str]](
        (), doc="Scopes that the metadata lists. `offline_access` is none of a resource server."
    )
    ISSUERS = Option[Mapping[str, Mapping[str, Any]]](
        {},
        doc="Issuers whose tokens are accepted, exactly as in `iss`, each with its options: `algorithms` (default: all that"
        " this site knows), `token_type` (default: 'at+jwt'; empty for any type, if the issuer does not follow RFC 9068),"
        " `audience` (further values of `aud`, if it does not follow RFC 8707), `scope_claim` (default: 'scope'),"
        " `jwks_uri` (default: from the metadata of the issuer), and for introspection `client_id`, `client_secret` and"
        " `introspection_endpoint` (default: from the metadata). Empty: the provider of this site.",
    )
    PERSON = Option(
        "",
        doc="Dotted path of a function from a token to the user of this site. `None` refuses the token. Empty, and for an"
        " application that acts for itself: `request.user` is a principal without a row.",
    )
    ACR_VALUES = Option[Sequence[str]](
        ("aal1", "aal2", "aal3"),
        doc="Values of `acr`, the weakest first. One that is not listed satisfies only itself.",
    )
    LEEWAY = Option(timedelta(seconds=10), doc="How far the clock of an issuer may differ.")
    KEYS_LIFETIME = Option(
        timedelta(hours=1),
        doc="How long the keys of an issuer are used at most. Its `Cache-Control` may shorten it, to one minute at least.",
    )
    KEYS_LIFETIME_IN_OUTAGE = Option(
        timedelta(hours=1), doc="How long the keys are used beyond that while the issuer does not answer."
    )
    KEYS_COOLDOWN = Option(
        timedelta(minutes=1),
        doc="How long an unknown key id loads no keys, after one that did. Callers choose key ids.",
    )
    REQUIRE_DPOP = Option(False, doc="Whether every token must be bound to a key of its sender (RFC 9449).")
    DPOP_PROOF_LIFETIME = Option(timedelta(minutes=1), doc="How old a DPoP proof may be.")
    DPOP_NONCE_LIFETIME = Option(
        timedelta(minutes=1),
        doc="How long a client may use a nonce. A proof can be sent again for as long, unless the provider is in this site.",
    )
    DPOP_NONCE_REQUIRED = Option(
        True,
        doc="Whether a DPoP proof needs a nonce of this site. Only a site with the provider can turn it off: it keeps the ids"
        " of proofs.",
    )
    INTROSPECTION_UNKNOWN_PER_MINUTE = Option(
        60,
        doc="How many tokens from one network may turn out not to be active in a minute, in one process. The issuer is asked"
        " about no further one from there.",
    )
    INTROSPECTION_CACHE = Option(
        timedelta(seconds=30),
        doc="How long an active token is remembered, at most 30 seconds. Zero: each request asks the issuer.",
    )


resource = ResourceSettings()
