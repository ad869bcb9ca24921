"""Addresses of the service."""

from django.apps import apps
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from enterprise_auth.core.docs import ApiDocsView
from enterprise_auth.core.doors import closed_door

urlpatterns = [
    path("api/v1/", include("auth_core.api.urls")),
    path("api/v1/", include("auth_sessions.api.urls")),
    path("api/v1/", include("auth_mfa.api.urls")),
    path("api/v1/", include("auth_rbac.api.urls")),
    path("api/v1/", include("auth_audit.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", ApiDocsView.as_view(), name="docs"),
    # The admin's own forms would be a second door, past the limits, the login and the trail.
    path("admin/login/", closed_door),
    path("admin/password_change/", closed_door),
    path("admin/", admin.site.urls),
]

if apps.is_installed("debug_toolbar"):
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()

handler400 = "auth_core.api.problems.bad_request"
handler403 = "auth_core.api.problems.permission_denied"
handler404 = "auth_core.api.problems.not_found"
handler500 = "auth_core.api.problems.server_error"
