"""An OAuth 2.1 authorization server and OpenID Connect provider. It needs the extra ``oauth``.

Django-oauth-toolkit owns the registry of applications. Everything that is called often or that is about a person's session
is here (decision record 0049).
"""
