"""URLs under ``/api/v1/``."""

from django.urls import path

from auth_core.oauth.api import views

app_name = "oauth-api"

urlpatterns = [
    path("me/applications/", views.ApplicationListView.as_view(), name="applications"),
    path("me/applications/<uuid:application_id>/", views.ApplicationView.as_view(), name="application"),
]
