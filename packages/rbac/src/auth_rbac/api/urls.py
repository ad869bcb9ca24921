"""Addresses under ``/api/v1/``."""

from django.urls import path

from auth_rbac.api import views

urlpatterns = [
    path("roles/", views.RoleListView.as_view(), name="roles"),
    path("assignments/", views.AssignmentListView.as_view(), name="assignments"),
    path("assignments/<uuid:assignment_id>/", views.AssignmentView.as_view(), name="assignment"),
]
