"""URL patterns of the test site."""

from django.contrib import admin
from django.urls import include, path

from api_of_a_site import OrdersView, OwnView, ReportsView, ToolkitView, fresh_notes, notes, toolkit_view

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("auth_core.oauth.urls")),
    path("api/v1/orders/", OrdersView.as_view()),
    path("api/v1/orders/reports/", ReportsView.as_view()),
    path("api/v1/orders/own/", OwnView.as_view()),
    path("", include("auth_core.oauth_resource.urls")),
    path("own/notes/", notes),
    path("own/fresh/", fresh_notes),
    path("toolkit/", toolkit_view),
    path("toolkit-api/", ToolkitView.as_view()),
    path("api/v1/", include("auth_core.oauth.api.urls")),
    path("api/v1/", include("auth_core.api.urls")),
    path("", include("auth_core.pages.urls")),
]

handler400 = "auth_core.api.problems.bad_request"
handler403 = "auth_core.api.problems.permission_denied"
handler404 = "auth_core.api.problems.not_found"
handler500 = "auth_core.api.problems.server_error"
