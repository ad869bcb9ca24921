"""URLs under ``/api/v1/``."""

from django.urls import path

from auth_sessions.api import device_views, search_views, views

app_name = "sessions-api"

urlpatterns = [
    path("sessions/", views.SessionListView.as_view(), name="sessions"),
    path("sessions/revoke-others/", views.RevokeOthersView.as_view(), name="sessions-revoke-others"),
    path("sessions/<uuid:session_id>/", views.SessionView.as_view(), name="session"),
    path("sessions/<uuid:session_id>/risk/", views.RiskView.as_view(), name="session-risk"),
    path("devices/", device_views.DeviceListView.as_view(), name="devices"),
    path("devices/not-me/", device_views.NotMeView.as_view(), name="devices-not-me"),
    path("devices/<uuid:device_id>/", device_views.DeviceView.as_view(), name="device"),
    path("devices/<uuid:device_id>/block/", device_views.DeviceBlockView.as_view(), name="device-block"),
    path("users/sessions/", search_views.SessionSearchView.as_view(), name="users-sessions"),
    path("users/sessions/<uuid:session_id>/", search_views.FoundSessionView.as_view(), name="users-session"),
]
