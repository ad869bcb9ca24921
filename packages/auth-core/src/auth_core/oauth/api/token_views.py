"""The base of a route that services call with access tokens again and again."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.views import ApiView


class TokenView(ApiView):
    """``GET``, answered from the caller alone. A layer before Django may answer it too, by calling `body`.

    Subclasses declare ``token_scopes`` for ``get``.
    """

    def get(self, request: Request) -> Response:
        """Return the body for the caller."""
        return Response(self.body(request.user))

    @abstractmethod
    def body(self, caller: Any) -> Mapping[str, Any]:
        """Return the body for *caller*, a person or a service account. It changes nothing.

        There may be no request and no language, so it depends on nothing but *caller* and the database.
        """
