"""URLs under ``/api/v1/``."""

from django.urls import path

from auth_core.federation.api import views

app_name = "federation-api"

urlpatterns = [
    path("me/connections/", views.ConnectionListView.as_view(), name="connections"),
    path("me/connections/<uuid:connection_id>/", views.ConnectionView.as_view(), name="connection"),
]
