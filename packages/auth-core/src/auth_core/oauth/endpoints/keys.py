"""``GET /.well-known/jwks.json``: the public keys."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.oauth.conf import oauth
from auth_core.oauth.endpoints.answers import endpoint, public_answer
from auth_core.oauth.keys.key_set import key_set


@endpoint("GET", "HEAD")
def jwks(request: HttpRequest) -> HttpResponseBase:
    """Return the keys that verify tokens. Any site may read them, for as long as `JWKS_LIFETIME`."""
    return public_answer(key_set().jwks, lifetime=oauth.JWKS_LIFETIME)
