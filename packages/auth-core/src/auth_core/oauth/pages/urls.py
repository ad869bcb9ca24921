"""The addresses of the pages. `auth_core.oauth.urls` includes them, so their names are in its namespace."""

from django.urls import path

from auth_core.oauth.pages import authorize_views

urlpatterns = [
    path("oauth/authorize", authorize_views.AuthorizePage.as_view(), name="authorize"),
    path("oauth/authorize/<str:handle>/", authorize_views.ContinuePage.as_view(), name="continue"),
]
