"""The addresses of the pages. `auth_core.oauth.urls` includes them, so their names are in its namespace."""

from django.urls import path

from auth_core.oauth.pages import application_views, authorize_views, device_views, logout_views

urlpatterns = [
    path("oauth/authorize", authorize_views.AuthorizePage.as_view(), name="authorize"),
    path("oauth/authorize/<str:handle>/", authorize_views.ContinuePage.as_view(), name="continue"),
    path("oauth/logout", logout_views.OAuthLogoutPage.as_view(), name="logout"),
    path("oauth/logout/<str:handle>/", logout_views.ConfirmLogoutPage.as_view(), name="logout-confirm"),
    path("device/", device_views.DevicePage.as_view(), name="device"),
    path("device/<uuid:request_id>/", device_views.DeviceDecisionPage.as_view(), name="device-decision"),
    path("account/applications/", application_views.ApplicationsPage.as_view(), name="applications"),
    path(
        "account/applications/<uuid:application_id>/revoke/",
        application_views.RevokeApplicationPage.as_view(),
        name="application-revoke",
    ),
]
