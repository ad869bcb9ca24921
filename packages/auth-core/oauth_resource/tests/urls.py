"""URL patterns of the test site."""

from django.urls import include, path

from views import (
    AdminNotesView,
    BoundNotesView,
    NotesView,
    UndeclaredView,
    async_notes,
    bound_notes,
    fresh_notes,
    notes,
)

urlpatterns = [
    path("", include("auth_core.oauth_resource.urls")),
    path("notes/", notes),
    path("fresh/", fresh_notes),
    path("async/", async_notes),
    path("api/notes/", NotesView.as_view()),
    path("bound/", bound_notes),
    path("bound/größe%/", bound_notes),
    path("api/bound/", BoundNotesView.as_view()),
    path("api/admin/", AdminNotesView.as_view()),
    path("api/undeclared/", UndeclaredView.as_view()),
]
