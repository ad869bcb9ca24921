"""Signing in with an identity provider: Google, GitHub, Microsoft, Apple, GitLab, LinkedIn, or any OpenID Connect provider.

It needs the extra ``federation``. ``auth_core.federation`` stands in ``INSTALLED_APPS``, and its URLs at the root of the site.
"""
