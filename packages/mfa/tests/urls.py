"""URLs of the test site."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("auth_core.api.urls")),
    path("api/v1/", include("auth_mfa.api.urls")),
]
