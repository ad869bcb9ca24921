"""URL patterns. Include them at the root of the site, because the address of the metadata is fixed."""

from django.urls import path

from auth_core.oauth_resource.metadata.document import WELL_KNOWN
from auth_core.oauth_resource.metadata.views import metadata

app_name = "oauth-resource"

urlpatterns = [
    path(WELL_KNOWN, metadata, name="metadata"),
    path(f"{WELL_KNOWN}/<path:inserted>", metadata, name="metadata-of-path"),
]
