"""The addresses of the pages. Include them at the root of the site."""

from django.urls import path

from auth_core.federation.pages import account_views, callback_views

app_name = "federation"

urlpatterns = [
    path("federation/<slug:slug>/login/", callback_views.LoginPage.as_view(), name="login"),
    path("federation/<slug:slug>/callback/", callback_views.CallbackView.as_view(), name="callback"),
    path("account/connections/", account_views.ConnectionsPage.as_view(), name="connections"),
    path("account/connections/<slug:slug>/connect/", account_views.ConnectPage.as_view(), name="connect"),
    path(
        "account/connections/<uuid:connection_id>/disconnect/",
        account_views.DisconnectPage.as_view(),
        name="disconnect",
    ),
]
