"""The addresses of the provider. They are at the root of the site, because its address is the issuer."""

from django.urls import path

from auth_core.oauth.endpoints import keys

app_name = "oauth"

urlpatterns = [
    path(".well-known/jwks.json", keys.jwks, name="jwks"),
]
