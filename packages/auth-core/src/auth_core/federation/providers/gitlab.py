"""GitLab, theirs or your own.

Source: https://docs.gitlab.com/integration/openid_connect_provider/
"""

from auth_core.federation.providers.openid import OpenIDProvider


class GitLabProvider(OpenIDProvider):
    """GitLab. The option `issuer` names a server of your own."""

    title = "GitLab"
    default_issuer = "https://gitlab.com"
    required = ("client_id", "client_secret")
