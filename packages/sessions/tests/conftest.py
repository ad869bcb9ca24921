"""Fixtures of the tests of auth_sessions."""

from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.testing.browsers import log_in


class Caller:
    """A caller without a browser, with a session credential."""

    def __init__(self) -> None:
        self.http = Browser(enforce_csrf_checks=True)
        self.credential = ""

    def log_in(self, identifier: str = "alice@example.org") -> Any:
        granted = log_in(self.http, identifier=identifier, transport="token")
        self.credential = granted.json()["credential"]
        return granted

    def get(self, path: str) -> Any:
        return self.http.get(f"/api/v1/{path}", HTTP_AUTHORIZATION=f"Session {self.credential}")

    def send(self, method: str, path: str) -> Any:
        return self.http.generic(
            method, f"/api/v1/{path}", "{}", content_type="application/json",
            HTTP_AUTHORIZATION=f"Session {self.credential}",
        )  # fmt: skip


@pytest.fixture
def caller() -> Caller:
    """A caller without a browser."""
    return Caller()
