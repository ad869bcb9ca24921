"""URL patterns of the test site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("auth_core.federation.urls")),
    path("api/v1/", include("auth_core.federation.api.urls")),
    path("api/v1/", include("auth_core.api.urls")),
    path("", include("auth_core.pages.urls")),
]

handler400 = "auth_core.api.problems.bad_request"
handler403 = "auth_core.api.problems.permission_denied"
handler404 = "auth_core.api.problems.not_found"
handler500 = "auth_core.api.problems.server_error"
