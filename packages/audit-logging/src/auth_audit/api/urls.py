"""URLs under ``/api/v1/``."""

from django.urls import path

from auth_audit.api import proof_views, views

app_name = "audit-api"

urlpatterns = [
    path("audit/entries/", views.EntryListView.as_view(), name="audit-entries"),
    path("audit/entries/<uuid:entry_id>/", views.EntryView.as_view(), name="audit-entry"),
    path("audit/entries/<uuid:entry_id>/proof/", proof_views.ProofView.as_view(), name="audit-entry-proof"),
    path("audit/checkpoints/", proof_views.CheckpointListView.as_view(), name="audit-checkpoints"),
    path("audit/checkpoints/<int:size>/", proof_views.CheckpointView.as_view(), name="audit-checkpoint"),
    path("audit/exports/", proof_views.ExportView.as_view(), name="audit-exports"),
    path("me/activity/", views.ActivityView.as_view(), name="me-activity"),
]
