"""Addresses under ``/api/v1/``."""

from django.urls import path

from auth_audit.api import views

urlpatterns = [
    path("audit/entries/", views.EntryListView.as_view(), name="audit-entries"),
    path("audit/entries/<uuid:entry_id>/", views.EntryView.as_view(), name="audit-entry"),
]
