"""The settings of django-oauth-toolkit that go with this app: ``OAUTH2_PROVIDER = {**toolkit_settings(), ...}``.

Settings modules import it, so it reads no setting and no model.
"""

from typing import Any

from auth_core.oauth.hashers import ALGORITHM

#: The switches of RFC 9700. `REDIRECT_URI_SCHEME` is off: it would forbid the loopback addresses of native applications,
#: which this app checks itself.
_SWITCHES = (
    "IMPLICIT_GRANT", "PASSWORD_GRANT", "PKCE_METHOD", "ACCESS_TOKEN_TRANSPORT", "AUTHZ_RESPONSE_ISS", "TOKEN_STORAGE",
    "REFRESH_TOKEN", "REDIRECT_URI_MATCHING", "PKCE_REQUIRED",
)  # fmt: skip


def toolkit_settings(issuer: str) -> dict[str, Any]:
    """Return the settings. What django-oauth-toolkit itself would issue is as limited as what this app issues.

    Args:
        issuer: The same as that of this app.
    """
    return {
        **{f"COMPLIANT_BCP_RFC9700_{name}": True for name in _SWITCHES},
        "CLIENT_ID_GENERATOR_CLASS": "auth_core.oauth.generators.ClientIdGenerator",
        "CLIENT_SECRET_GENERATOR_CLASS": "auth_core.oauth.generators.ClientSecretGenerator",
        "CLIENT_SECRET_HASHER": ALGORITHM,
        "PKCE_REQUIRED": True,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 3600,
        "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
        "ID_TOKEN_EXPIRE_SECONDS": 600,
        "RESOURCE_SERVER_TOKEN_CACHING_SECONDS": 30,
        "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
        "ALLOW_URI_WILDCARDS": False,
        # Its registration knows neither the policy nor the rules of this app.
        "DCR_ENABLED": False,
        "SCOPES": {"openid": "Know who you are"},
        "DEFAULT_SCOPES": [],
        "OIDC_ISS_ENDPOINT": issuer,
        "OAUTH2_VALIDATOR_CLASS": "auth_core.oauth.oauth2_validators.Validator",
    }
