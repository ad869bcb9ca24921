"""What the API answers is what its schema says: `conftest` compares every answer of every test."""

from typing import Any

import pytest
from django.http import JsonResponse
from django.test import Client as Browser

from answers import UndescribedAnswer, answer_check
from auth_core.api.views import CsrfView

pytestmark = pytest.mark.django_db


def test_answers_are_compared() -> None:
    before = len(answer_check().compared)
    answer_check().compared.clear()

    Browser().get("/api/v1/csrf/")
    Browser().get("/api/v1/me/")

    assert answer_check().compared == {("GET", "/api/v1/csrf/", "200"), ("GET", "/api/v1/me/", "default")}
    assert before >= 0


@pytest.mark.parametrize(
    "answer",
    [
        JsonResponse({"csrf_token": "x", "more": 1}),
        JsonResponse({}),
        JsonResponse({"csrf_token": 1}),
        JsonResponse({"csrf_token": "x"}, status=201),
        JsonResponse({"code": "x"}, status=400),
        JsonResponse({"code": "x"}, status=400, content_type="application/problem+json"),
    ],
    ids=["a member more", "a member less", "another type", "another status", "no problem document", "an empty problem"],
)
def test_an_answer_that_the_schema_does_not_allow_is_found(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CsrfView, "get", lambda self, request: answer)

    with pytest.raises(UndescribedAnswer):
        Browser().get("/api/v1/csrf/")
