"""URLs of the pages, to be included at the root of the site."""

from django.urls import path

from auth_sessions.pages import link_views, views

app_name = "sessions-pages"

urlpatterns = [
    path("not-me/", link_views.NotMePage.as_view(), name="not-me"),
    path("not-me/<str:token>/", link_views.NotMePage.as_view(), name="not-me-link"),
    path("account/sessions/", views.SessionsPage.as_view(), name="sessions"),
    path("account/sessions/end-others/", views.EndOthersPage.as_view(), name="end-others"),
    path("account/sessions/end-all/", views.EndAllPage.as_view(), name="end-all"),
    path("account/sessions/<uuid:session_id>/end/", views.EndSessionPage.as_view(), name="end"),
    path("account/devices/<uuid:device_id>/", views.RenameDevicePage.as_view(), name="device"),
    path("account/devices/<uuid:device_id>/forget/", views.ForgetDevicePage.as_view(), name="device-forget"),
    path("account/devices/<uuid:device_id>/block/", views.BlockDevicePage.as_view(), name="device-block"),
    path("account/devices/<uuid:device_id>/unblock/", views.UnblockDevicePage.as_view(), name="device-unblock"),
]
