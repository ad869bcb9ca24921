"""The well-known URL where password managers find the passkey pages.

Source: W3C, A Well-Known URL for Relying Party Passkey Endpoints.
"""

from urllib.parse import urljoin

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from auth_core.messages.links import public_url


@require_safe
def passkey_endpoints(request: HttpRequest) -> JsonResponse:
    """``GET /.well-known/passkey-endpoints``: URLs under `PUBLIC_URL`, never under the host of the request."""
    site = f"{public_url()}/"
    # A reversed path already begins with the path of the site, if it is below one.
    return JsonResponse(
        {
            "enroll": urljoin(site, reverse("mfa-pages:passkey-add")),
            "manage": urljoin(site, reverse("mfa-pages:factors")),
        }
    )
