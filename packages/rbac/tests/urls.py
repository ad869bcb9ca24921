"""The URLs of the test site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("auth_core.api.urls")),
    path("api/v1/", include("auth_rbac.api.urls")),
    path("admin/", admin.site.urls),
]
