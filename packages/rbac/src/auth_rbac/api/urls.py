"""The URLs under ``/api/v1/``."""

from django.urls import path

from auth_rbac.api import access_views, object_views, views

app_name = "rbac-api"

urlpatterns = [
    path("roles/", views.RoleListView.as_view(), name="roles"),
    path("roles/<uuid:role_id>/", views.RoleView.as_view(), name="role"),
    path("assignments/", views.AssignmentListView.as_view(), name="assignments"),
    path("assignments/<uuid:assignment_id>/", views.AssignmentView.as_view(), name="assignment"),
    path("groups/", views.GroupListView.as_view(), name="groups"),
    path("object-permissions/", object_views.ObjectPermissionListView.as_view(), name="object-permissions"),
    path(
        "object-permissions/<str:object_permission_id>/",
        object_views.ObjectPermissionView.as_view(),
        name="object-permission",
    ),
    path("access/check/", access_views.CheckView.as_view(), name="access-check"),
    path("access/check-many/", access_views.CheckManyView.as_view(), name="access-check-many"),
    path("access/explain/", access_views.ExplainView.as_view(), name="access-explain"),
    path("access/objects/", access_views.ObjectsView.as_view(), name="access-objects"),
    path("access/subjects/", access_views.SubjectsView.as_view(), name="access-subjects"),
]
