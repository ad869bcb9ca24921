"""The addresses of the provider. They are at the root of the site, because its address is the issuer."""

from django.urls import include, path

from auth_core.oauth.endpoints import (
    device_authorization,
    introspection,
    metadata,
    pushed_authorization,
    registration,
    revocation,
    token,
    userinfo,
)

app_name = "oauth"

urlpatterns = [
    path(".well-known/openid-configuration", metadata.metadata, name="openid-configuration"),
    path(".well-known/oauth-authorization-server", metadata.metadata, name="oauth-authorization-server"),
    path(".well-known/jwks.json", metadata.jwks, name="jwks"),
    path("oauth/par", pushed_authorization.push, name="par"),
    path("oauth/device_authorization", device_authorization.authorize_device, name="device-authorization"),
    path("oauth/register", registration.register, name="register"),
    path("oauth/register/<str:client_id>", registration.manage, name="registration"),
    path("oauth/token", token.token, name="token"),
    path("oauth/introspect", introspection.introspect, name="introspect"),
    path("oauth/revoke", revocation.revoke, name="revoke"),
    path("oauth/userinfo", userinfo.userinfo, name="userinfo"),
    path("", include("auth_core.oauth.pages.urls")),
]
