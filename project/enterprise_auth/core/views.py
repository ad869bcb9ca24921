"""Views of the service itself: the API reference, and the login views of libraries, redirected to ours."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView


class ApiDocsView(TemplateView):
    """``/api/docs/``: Swagger UI over ``/api/schema/``, from local files and without inline scripts."""

    template_name = "api_docs/swagger.html"


@csrf_exempt
def api_schema(request: HttpRequest) -> HttpResponse:
    """``/api/schema/``: the OpenAPI document. Its library is loaded with the first request, because few workers need it."""
    response: HttpResponse = import_string("drf_spectacular.views.SpectacularAPIView").as_view()(request)
    return response


def admin_login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Redirect to our login, which returns to the admin site.

    Raises:
        PermissionDenied: The user is signed in but not allowed. Another login would only repeat the redirect.
    """
    next_url = request.GET.get("next") or reverse("admin:index")
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(next_url, reverse("core-pages:login"))
