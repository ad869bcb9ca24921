"""Compares each answer of the API with what the schema says about it."""

import json
import re
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

PROBLEM = "application/problem+json"
JSON = ("application/json", PROBLEM)


class UndescribedAnswer(AssertionError):
    """An answer that the schema does not allow."""


class AnswerCheck:
    """The schema, and the answers that were compared with it.

    Args:
        schema: The OpenAPI 3.1 document.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = json.loads(json.dumps(schema, default=str))
        self.compared: set[tuple[str, str, str]] = set()

    def compare(self, method: str, path: str, response: Any) -> None:
        """Compare one answer with the schema. A redirect and an answer to HEAD or OPTIONS are not described there.

        Raises:
            UndescribedAnswer: the status, the type or the body is another one.
        """
        template = self._template(path)
        if template is None or method.lower() not in self.schema["paths"][template]:
            return
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        status, validator = self._described(template, method.lower(), str(response.status_code), kind)
        self.compared.add((method, template, status))
        if validator is not None:
            body = json.loads(b"".join(response) if response.streaming else response.content)
            if problem := next(validator.iter_errors(body), None):
                where = "/".join(map(str, problem.absolute_path))
                raise UndescribedAnswer(f"{method} {path} {response.status_code}: {where}: {problem.message}")

    def _described(self, template: str, method: str, status: str, kind: str) -> tuple[str, Any]:
        """Return under which status the answer is described, and the validator of its body, if it has one."""
        responses = self.schema["paths"][template][method]["responses"]
        if status not in responses and int(status) >= 400:
            status = "default"
        if status not in responses:
            raise UndescribedAnswer(f"{method} {template}: the schema does not describe the status {status}.")
        content = responses[status].get("content", {})
        if kind and kind not in content and (content or kind in JSON):
            raise UndescribedAnswer(f"{method} {template} {status}: the schema does not describe the type {kind!r}.")
        return status, self._validator(template, method, status, kind) if kind in JSON else None

    @cache  # noqa: B019 - one object lives as long as the run
    def _validator(self, template: str, method: str, status: str, kind: str) -> Draft202012Validator:
        pointer = self.schema["paths"][template][method]["responses"][status]["content"][kind]["schema"]
        components = self.schema["components"] if kind == PROBLEM else self._closed
        return Draft202012Validator({**pointer, "components": components})

    @cached_property
    def _closed(self) -> Any:
        """The components, with objects that have no members but those described."""
        return _close(self.schema["components"])

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        # Addresses without a variable first: roles/mine/ is not roles/{id}/.
        templates = sorted(self.schema["paths"], key=lambda template: ("{" in template, template))
        return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))), template) for template in templates]

    def _template(self, path: str) -> str | None:
        return next((template for pattern, template in self._patterns if pattern.fullmatch(path)), None)


@cache
def answer_check() -> AnswerCheck:
    """Return the check against the schema that the service serves."""
    return AnswerCheck(SchemaGenerator().get_schema(request=None, public=True))


def _close(node: Any) -> Any:
    if isinstance(node, list):
        return [_close(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _close(value) for key, value in node.items()}
    if closed.get("type") == "object" and isinstance(closed.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed
