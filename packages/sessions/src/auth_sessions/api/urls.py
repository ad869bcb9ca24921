"""Addresses under ``/api/v1/``."""

from django.urls import path

from auth_sessions.api import views

urlpatterns = [
    path("sessions/", views.SessionListView.as_view(), name="sessions"),
    path("sessions/revoke-others/", views.RevokeOthersView.as_view(), name="sessions-revoke-others"),
    path("sessions/<uuid:session_id>/", views.SessionView.as_view(), name="session"),
]
