"""URLs under ``/api/v1/``."""

from django.urls import path

from auth_core.oauth.api import management_views, views

app_name = "oauth-api"

urlpatterns = [
    path("me/applications/", views.ApplicationListView.as_view(), name="applications"),
    path("me/applications/<uuid:application_id>/", views.ApplicationView.as_view(), name="application"),
    path("applications/", management_views.RegisteredListView.as_view(), name="registered-applications"),
    path(
        "applications/<uuid:application_id>/", management_views.RegisteredView.as_view(), name="registered-application"
    ),
    path("applications/<uuid:application_id>/secret/", management_views.SecretView.as_view(), name="secret"),
    path(
        "applications/<uuid:application_id>/secret/previous/",
        management_views.PreviousSecretView.as_view(),
        name="previous-secret",
    ),
    path("resources/", management_views.ResourceListView.as_view(), name="resources"),
    path("resources/<uuid:resource_id>/", management_views.ResourceView.as_view(), name="resource"),
]
