"""Refusals of tokens as exceptions of DRF, for any exception handler."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework.exceptions import APIException

from auth_core.oauth_resource.access.admission import challenged
from auth_core.oauth_resource.answers import error_body
from auth_core.oauth_resource.errors import OAuthError


class TokenRefused(APIException):
    """A refusal of a token, with its challenge.

    It is no `AuthenticationFailed`, because DRF replaces the challenge of one by that of the first authenticator.

    Args:
        problem: What is refused, and why.
    """

    default_code = "token_refused"

    def __init__(self, problem: OAuthError) -> None:
        super().__init__(error_body(problem), problem.error)
        self.status_code = int(problem.status)
        # The names under which DRF's exception handler looks for headers.
        self.auth_header = problem.headers.get("WWW-Authenticate")
        self.wait: Any = int(problem.headers.get("Retry-After", 0))


@contextmanager
def refusals_for_drf() -> Iterator[None]:
    """Turn the refusals of a block into exceptions of DRF.

    Raises:
        TokenRefused: the block refused.
    """
    try:
        with challenged():
            yield
    except OAuthError as problem:
        raise TokenRefused(problem) from problem
