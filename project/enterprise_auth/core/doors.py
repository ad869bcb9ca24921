"""Doors that libraries bring along, and that stay closed here."""

from django.http import HttpRequest, JsonResponse

from auth_core.api.problems import problem_response
from auth_core.errors import NotAuthenticated


def closed_door(request: HttpRequest, extra_context: object = None) -> JsonResponse:
    """Refuse, whatever is sent: who comes in logs in at ``/api/v1/login/``, and their cookie opens the admin, too."""
    return problem_response(NotAuthenticated())
