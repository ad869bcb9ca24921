"""The well-known URL where password managers find the passkey pages.

Source: W3C, A Well-Known URL for Relying Party Passkey Endpoints.
"""

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from auth_core.messages.links import public_url


@require_safe
def passkey_endpoints(request: HttpRequest) -> JsonResponse:
    """``GET /.well-known/passkey-endpoints``: URLs under `PUBLIC_URL`, never under the host of the request."""
    return JsonResponse(
        {
            "enroll": f"{public_url()}{reverse('mfa-pages:passkey-add')}",
            "manage": f"{public_url()}{reverse('mfa-pages:factors')}",
        }
    )
