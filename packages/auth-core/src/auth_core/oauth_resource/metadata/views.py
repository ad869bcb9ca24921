"""``GET /.well-known/oauth-protected-resource[/path]``."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.http import require_safe

from auth_core.oauth_resource.answers import public_answer
from auth_core.oauth_resource.metadata.document import WELL_KNOWN, metadata_document, metadata_path

_LIFETIME = timedelta(hours=1)


@require_safe
def metadata(request: HttpRequest, inserted: str = "") -> HttpResponse:
    """Return the metadata of this resource server, at its own address alone."""
    if metadata_path() != f"/{WELL_KNOWN}{f'/{inserted}' if inserted else ''}":
        return HttpResponseNotFound()
    return public_answer(metadata_document(), lifetime=_LIFETIME)
