"""The URLs of the service."""

from django.apps import apps
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from auth_core.pages.login_views import LogoutPage
from auth_mfa.pages.well_known import passkey_endpoints
from enterprise_auth.core.views import ApiDocsView, admin_login, api_schema

urlpatterns = [
    path("api/v1/", include("auth_core.api.urls")),
    path("api/v1/", include("auth_sessions.api.urls")),
    path("api/v1/", include("auth_mfa.api.urls")),
    path("api/v1/", include("auth_rbac.api.urls")),
    path("api/v1/", include("auth_audit.api.urls")),
    path("api/v1/", include("auth_core.oauth.api.urls")),
    path("api/v1/", include("auth_core.federation.api.urls")),
    path("api/schema/", api_schema, name="schema"),
    path("api/docs/", ApiDocsView.as_view(), name="docs"),
    # The admin's own forms would bypass the limits, the login and the audit trail.
    path("admin/login/", admin_login),
    path("admin/logout/", LogoutPage.as_view()),
    path("admin/password_change/", RedirectView.as_view(pattern_name="core-pages:account-password")),
    path("admin/", admin.site.urls),
    path(".well-known/passkey-endpoints", passkey_endpoints),
    # The root of a login service is the reader's own account. Others are sent to the login.
    path("", RedirectView.as_view(pattern_name="core-pages:account", http_method_names=["get", "head", "options"])),
    path("account/second-factors/", include("auth_mfa.pages.urls")),
    path("", include("auth_core.oauth.urls")),
    path("", include("auth_core.federation.urls")),
    path("", include("auth_sessions.pages.urls")),
    path("", include("auth_core.pages.urls")),
]

if apps.is_installed("debug_toolbar"):
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()

handler400 = "auth_core.pages.errors.bad_request"
handler403 = "auth_core.pages.errors.permission_denied"
handler404 = "auth_core.pages.errors.not_found"
handler500 = "auth_core.pages.errors.server_error"
