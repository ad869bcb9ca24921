"""URLs of a site with the admin and all our views."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("auth_core.api.urls")),
    path("api/v1/", include("auth_mfa.api.urls")),
    path("admin/", admin.site.urls),
    path("account/second-factors/", include("auth_mfa.pages.urls")),
    path("", include("auth_core.pages.urls")),
]
