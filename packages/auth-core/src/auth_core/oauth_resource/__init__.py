"""The resource side of OAuth: a site that accepts access tokens, of this provider or of any other (extra `oauth-resource`).

It has no tables and no authorization server. `decorators.require_token` protects a view, and `api` protects views of DRF.
"""
