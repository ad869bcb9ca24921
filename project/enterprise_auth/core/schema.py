"""The OpenAPI schema, from what our views say of themselves."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from auth_core.api.problems import CONTENT_TYPE
from auth_core.api.shapes import ProblemShape

_PAGING = [
    OpenApiParameter("cursor", str, description="Where the page begins: from `next` or `previous`."),
    OpenApiParameter("page_size", int, description="Rows of a page: 50, at most 200."),
]


class ProblemSchema(AutoSchema):  # type: ignore[misc]  # the library is untyped
    """Reads `bodies`, `answers` and `filters` of an `ApiView`; every operation may be refused with a problem."""

    def get_request_serializer(self) -> Any:
        """Return the body's shape."""
        return getattr(self.view, "bodies", {}).get(self.method.lower())

    def get_response_serializers(self) -> Any:
        """Return the answers by status, and the problem for every other."""
        answers = getattr(self.view, "answers", {}).get(self.method.lower(), {200: None})
        shown = {status: OpenApiResponse(shape, description=_description(shape)) for status, shape in answers.items()}
        return {**shown, ("default", CONTENT_TYPE): OpenApiResponse(ProblemShape, description="A refusal.")}

    def get_override_parameters(self) -> list[Any]:
        """Return the filters of what is read, and how to page through a list."""
        filters = getattr(self.view, "filters", None)
        is_list = any(getattr(shape, "__name__", "").endswith("PageShape") for shape in self._answers().values())
        # A list that is not filtered has a body without a field, of which no parameters can be made.
        given = [filters] if filters is not None and filters().fields else []
        return [*given, *(_PAGING if is_list else [])] if self.method == "GET" else []

    def get_operation_id(self) -> str:
        """Return a name that stays: the address and the method."""
        words = [word for word in self.path.removeprefix("/api/v1/").split("/") if word and not word.startswith("{")]
        kind = "one_" if self.path.rstrip("/").endswith("}") else ""
        return f"{self.method.lower()}_{kind}{'_'.join(words)}".replace("-", "_")

    def get_tags(self) -> list[str]:
        """Group by the first word of the address."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Say no: a page is a shape of its own here."""
        return False

    def _answers(self) -> dict[int, Any]:
        return dict(getattr(self.view, "answers", {}).get(self.method.lower(), {}))


class CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[misc, no-untyped-call]  # the library is untyped
    """How a browser authenticates."""

    target_class = "auth_core.api.authentication.CookieAuthentication"
    name = "session_cookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-session",
            "description": "With `X-CSRFToken` on every unsafe request; see `GET csrf/`.",
        }


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[misc, no-untyped-call]  # the library is untyped
    """How a caller without a browser authenticates."""

    target_class = "auth_sessions.api.authentication.SessionTokenAuthentication"
    name = "session_token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Session eas_…`: the credential of a login with the transport `token`.",
        }


def _description(shape: type[serializers.BaseSerializer[Any]] | None) -> str:
    return "Done." if shape is None else (shape.__doc__ or "").strip().splitlines()[0]
