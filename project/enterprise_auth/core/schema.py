"""The OpenAPI schema, built from attributes of our views."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from auth_core.api.answers import ProblemShape
from auth_core.api.problems import CONTENT_TYPE

_PAGING = [
    OpenApiParameter("cursor", str, description="Start of the page, as in `next` or `previous`."),
    OpenApiParameter("page_size", int, description="Rows per page. Default 50, maximum 200."),
]


class ProblemSchema(AutoSchema):  # type: ignore[misc]  # the library is untyped
    """Reads `bodies`, `answers` and `filters` of an `ApiView`. Every operation can also return a problem."""

    def get_request_serializer(self) -> Any:
        """Return the shape of the body."""
        return getattr(self.view, "bodies", {}).get(self.method.lower())

    def get_response_serializers(self) -> Any:
        """Return the responses by status, and the problem for every other status."""
        answers = getattr(self.view, "answers", {}).get(self.method.lower(), {200: None})
        responses = {
            status: OpenApiResponse(shape, description=_description(shape)) for status, shape in answers.items()
        }
        return {**responses, ("default", CONTENT_TYPE): OpenApiResponse(ProblemShape, description="An error.")}

    def get_override_parameters(self) -> list[Any]:
        """Return the filters, and the parameters for paging through a list."""
        filters = getattr(self.view, "filters", None)
        is_list = any(getattr(shape, "__name__", "").endswith("PageShape") for shape in self._answers().values())
        # A list without filters has an empty body class, which has no parameters.
        parameters = [filters] if filters is not None and filters().fields else []
        return [*parameters, *(_PAGING if is_list else [])] if self.method == "GET" else []

    def get_operation_id(self) -> str:
        """Return a stable name made of method and path."""
        words = [word for word in self.path.removeprefix("/api/v1/").split("/") if word and not word.startswith("{")]
        kind = "one_" if self.path.rstrip("/").endswith("}") else ""
        return f"{self.method.lower()}_{kind}{'_'.join(words)}".replace("-", "_")

    def get_tags(self) -> list[str]:
        """Group by the first segment of the path."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _is_list_view(self, serializer: object = None) -> bool:
        """Return ``False``, because a page has its own shape here."""
        return False

    def _answers(self) -> dict[int | tuple[int, str], Any]:
        return dict(getattr(self.view, "answers", {}).get(self.method.lower(), {}))


class CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[misc, no-untyped-call]  # the library is untyped
    """Authentication of a browser."""

    target_class = "auth_core.api.authentication.CookieAuthentication"
    name = "session_cookie"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-session",
            "description": "Requires `X-CSRFToken` on every unsafe request. See `GET csrf/`.",
        }


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[misc, no-untyped-call]  # the library is untyped
    """Authentication of an application that acts for a person."""

    target_class = "auth_core.oauth.api.authentication.BearerAuthentication"
    name = "access_token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer", "description": "An access token with the scope of the operation."}

    def get_security_requirement(self, auto_schema: Any) -> Any:
        """Return the scope of the operation. ``None``: no token opens it."""
        scope = getattr(auto_schema.view, "token_scopes", {}).get(auto_schema.method.lower())
        return None if scope is None else {self.name: [scope]}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[misc, no-untyped-call]  # the library is untyped
    """Authentication of a client without a browser."""

    target_class = "auth_sessions.api.authentication.SessionTokenAuthentication"
    name = "session_token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Session eas_…`: the token of a login with the transport `token`.",
        }


def _description(shape: type[serializers.BaseSerializer[Any]] | type[str] | None) -> str:
    if shape is str:
        return "The file."
    return "Done." if shape is None else (shape.__doc__ or "").strip().splitlines()[0]
