"""Bad values for every field, filter, cursor, header and path part, generated from the schema and the routes."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode
from zlib import crc32

from django.contrib import admin
from django.db import connection
from django.test import Client as Browser
from django.urls import URLResolver
from drf_spectacular.generators import SchemaGenerator


def _packed(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).decode()


#: Texts that are also possible in an address, a form or a header.
TEXTS: Mapping[str, str] = {
    "NUL": "\x00",
    "text and NUL": "/x\x00y",
    "digits that are no ASCII": "²",
    "Arabic digits": "\u0661\u0662",
    "beyond 64 bits": "9" * 20,
    "5,000 digits": "9" * 5_000,
    "zeros before": "00019" + "9" * 5_000,
    "minus": "-1",
    "a fraction": "1e400",
    "no base64": "!!!=",
    "half base64": "abcde",
    "no UTF-8 in base64": _packed(b"\xff\xfe\x00"),
    "a cursor at NUL": _packed("p=\x00"),
    "a cursor at no id": _packed("p=7' OR 1=1"),
    "a cursor with an offset of 20 digits": _packed("r=1&o=99999999999999999999&p=7"),
    "a cursor with an offset of no number": _packed("o=x&p="),
    "a cursor of another list": _packed("p=2026-11-01T00%3A00%3A00Z"),
    "a cursor of a half surrogate": _packed("p=%ED%A0%80"),
    "parts that NUL divides": _packed("user\x00a\x00b\x00c"),
    "many parts": _packed("\x00" * 40),
    "a UUID nobody has": "00000000-0000-0000-0000-000000000007",
    "the last year": "9999-12-31T23:59:59+14:00",
    "the first year": "0001-01-01T00:00:00-14:00",
    "no day": "2026-02-31",
    "a path": "../../x",
    "brackets": "[[[{{{",
    "a host without an end": "//[::1",
    "beyond the basic plane": "\U0001f511" * 300,
    "a dunder": "__class__",
    "app.model": "auth_rbac.role",
    "a pattern": "%(x)s%s*.*",
}  # fmt: skip

#: Further values for JSON.
JSONS: Mapping[str, Any] = {
    **TEXTS,
    "a lone surrogate": "\ud800",
    "text and a lone surrogate": "a\udfff",
    "null": None,
    "true": True,
    "a number": 7,
    "a number beyond 64 bits": 10**30,
    "a number of 4,000 digits": 10**4_000,
    "a negative number": -1,
    "a huge fraction": 1e308,
    "a list": [],
    "an object": {},
    "a list of null": [None],
    "a list of a surrogate": ["\ud800"],
    "a list of objects": [{"a": ["\x00"]}],
    "an object of everything": {"\x00": "\ud800", "type": [], "id": {"a": 1}},
    "20 levels": json.loads('{"a":' * 20 + "1" + "}" * 20),
}

#: The most expensive values. Each is sent once per route.
LONG: Mapping[str, str] = {"1,000,000 digits": "9" * 1_000_000}

#: For common parts (parameters, headers, cookies), every route gets one in this many of the values.
SHARE = 30

#: Fields of the admin get one in this many, because its forms have hundreds of few kinds.
ADMIN_SHARE = 10

#: Headers that the code reads.
HEADERS = (
    "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_HOST", "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_NONE_MATCH", "HTTP_ORIGIN", "HTTP_RANGE", "HTTP_REFERER", "HTTP_TRACEPARENT", "HTTP_USER_AGENT",
    "HTTP_X_BACKGROUND", "HTTP_X_CSRFTOKEN", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REQUEST_ID", "CONTENT_TYPE", "CONTENT_LENGTH", "REMOTE_ADDR",
)  # fmt: skip

#: Cookies that the code reads.
COOKIES = (
    "sessionid", "csrftoken", "messages", "django_language",
    "__Host-login", "__Host-link", "__Host-device", "__Host-trusted", "__Host-session",
)  # fmt: skip

#: Query parameters that pages and the admin read.
PARAMETERS = (
    "next", "cursor", "page_size", "assurance", "factor", "choice", "q", "o", "p", "all", "_popup", "_to_field",
    "_changelist_filters", "e", "format", "lang", "id__exact", "user__id__exact", "risk_score__gte", "outcome", "pk__in",
    "recorded_at__gte", "is_staff__exact", "app_label", "model_name", "field_name", "term",
)  # fmt: skip

#: Form fields without a form class: of the admin, and of pages that read the body themselves.
FORM_FIELDS = (
    "action", "_selected_action", "select_across", "index", "_save", "_popup", "_to_field", "object_pk", "confirm",
    "next", "token", "code", "choice", "credential", "form-TOTAL_FORMS", "form-INITIAL_FORMS", "form-0-id",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One request.

    Args:
        route: The route under test.
        part: The field, filter, header or path part that contains the value.
        value: The label of the value.
    """

    route: str
    part: str
    value: str
    method: str
    path: str
    body: str = ""
    kind: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    def send(self, browser: Browser) -> int:
        """Return the status of the response. Changes are rolled back."""
        savepoint = connection.savepoint()
        try:
            return browser.generic(
                self.method, self.path, self.body, content_type=self.kind or "application/octet-stream", **self.extra
            ).status_code
        finally:
            connection.savepoint_rollback(savepoint)


def api_calls(good_values: Mapping[str, str], *, patterns: Any = None) -> Iterator[Call]:
    """Yield the calls of every operation in the schema.

    Args:
        good_values: Good values by name of the field or path part.
        patterns: URL patterns. Default: the routes of the site.
    """
    schema = SchemaGenerator(patterns=patterns).get_schema(public=True)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield from _Operation(path, method.upper(), operation, schema, good_values).calls()


class _Operation:
    """One operation of the schema."""

    def __init__(
        self,
        path: str,
        method: str,
        operation: Mapping[str, Any],
        schema: Mapping[str, Any],
        good_values: Mapping[str, str],
    ) -> None:
        self._path, self._method, self._schema, self._good_values = path, method, schema, good_values
        self._route = f"{method} {path}"
        named = [(one["in"], one["name"]) for one in operation.get("parameters", ())]
        self._parts = [name for place, name in named if place == "path"]
        self._filters = [name for place, name in named if place == "query"]
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        self._body = self._resolved(content["schema"]) if content else None

    def calls(self) -> Iterator[Call]:
        """Yield a call for each part and each value."""
        for name in self._parts:
            for label, value in (TEXTS | LONG).items():
                yield self._call(name, label, path=self._address({name: value}))
        filters = [(name, label) for name in self._filters for label in TEXTS]
        for name, label in filters or _shared(self._route, ["cursor", "page_size", "unknown"]):
            query = urlencode({**self._needed(), name: TEXTS[label]})
            yield self._call(name, label, path=f"{self._address({})}?{query}")
        yield self._call("query", "1,000,000 digits", path=f"{self._address({})}?x={LONG['1,000,000 digits']}")
        if self._body is not None:
            yield from self._calls_with_a_body(self._body)
        yield from _header_calls(self._route, self._method, self._address({}))

    def _calls_with_a_body(self, shape: Mapping[str, Any]) -> Iterator[Call]:
        good = self._good(shape)
        for label, value in (JSONS | LONG).items():
            yield self._call("body", label, body=json.dumps(value))
        for key_path in _key_paths(good):
            for label, value in JSONS.items():
                yield self._call(".".join(map(str, key_path)), label, body=json.dumps(_with(good, key_path, value)))

    def _call(self, part: str, label: str, *, path: str = "", body: str = "") -> Call:
        return Call(self._route, part, label, self._method, path or self._address({}), body, "application/json")

    def _address(self, values: Mapping[str, str]) -> str:
        address = self._path
        for name in self._parts:
            value = values.get(name) or self._good_values.get(name, self._good_values["id"])
            address = address.replace(f"{{{name}}}", quote(value, safe=""))
        return address

    def _needed(self) -> dict[str, str]:
        """Return the filters with a good value, so the first filter does not refuse the request early."""
        return {name: self._good_values[name] for name in self._filters if name in self._good_values}

    def _good(self, shape: Mapping[str, Any], name: str = "") -> Any:
        """Return a value that fits *shape*."""
        shape = self._resolved(shape)
        if name in self._good_values and shape.get("type") == "string":
            return self._good_values[name]
        if shape.get("type") == "object":
            return {key: self._good(inner, key) for key, inner in shape.get("properties", {"code": {}}).items()}
        if shape.get("type") == "array":
            return [self._good(shape["items"], name)]
        if shape.get("enum"):
            return shape["enum"][0]
        return {"integer": 1, "boolean": True, "number": 1}.get(str(shape.get("type")), "text")

    def _resolved(self, shape: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return *shape* with its references followed."""
        inner = next(iter(shape.get("allOf") or shape.get("oneOf") or shape.get("anyOf") or ()), None)
        if inner is not None:
            return self._resolved(inner)
        if "$ref" in shape:
            return self._resolved(self._schema["components"]["schemas"][shape["$ref"].rpartition("/")[2]])
        if isinstance(shape.get("type"), list):
            return {**shape, "type": shape["type"][0]}
        return shape


def page_calls(
    routes: Iterable[tuple[str, Any]], good_values: Mapping[str, str], fields: Mapping[str, Sequence[str]]
) -> Iterator[Call]:
    """Yield the calls of pages: parts of the path, parameters, and the fields of their forms.

    Args:
        routes: Each route with its view, see `pages_of`.
        good_values: Good values by name of the path part.
        fields: Names of form fields that are not in the view's class, by route.
    """
    for route, view in routes:
        form = getattr(getattr(view, "view_class", None), "form_class", None)
        names = [*getattr(form, "base_fields", ()), *fields.get(route, ()), *FORM_FIELDS]
        good, parts = _filled(route, good_values, {}), _parts_of(route)
        for part in parts:
            for number, (label, value) in enumerate((TEXTS | LONG).items()):
                yield Call(
                    route,
                    part,
                    label,
                    ("GET", "POST")[number % 2],
                    _filled(route, good_values, {part: value}),
                    "",
                    _FORM,
                )
        for name, label in _shared(route, PARAMETERS):
            yield Call(route, f"?{name}", label, "GET", f"{good}?{urlencode({name: TEXTS[label]})}")
        own = dict.fromkeys(names[: len(names) - len(FORM_FIELDS)], "7")
        share = ADMIN_SHARE if route.startswith("admin/") else 1
        for name, label in [*_shared(route, own, share), *_shared(route, FORM_FIELDS)]:
            yield Call(route, name, label, "POST", good, urlencode({**own, name: TEXTS[label]}), _FORM)
        yield from _header_calls(f"GET {route}", "GET", good)


_FORM = "application/x-www-form-urlencoded"


def pages_of(patterns: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every route with its view, without those of the API."""
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from pages_of(pattern.url_patterns, route)
        elif not route.startswith("api/v1/") and "(?P<" not in route:
            yield route, pattern.callback


def fields_of_the_admin(request: Any) -> dict[str, list[str]]:
    """Return the names of form fields in the admin, by route."""
    fields: dict[str, list[str]] = {}
    for model, page in admin.site._registry.items():
        names = list(page.get_form(request).base_fields)
        base = f"admin/{model._meta.app_label}/{model._meta.model_name}/"
        fields[f"{base}add/"] = fields[f"{base}<path:object_id>/change/"] = names
    return fields


def _header_calls(route: str, method: str, path: str) -> Iterator[Call]:
    """Yield each header and cookie with a few values, because the same code reads them for all routes."""
    for name, label in _shared(route, HEADERS):
        yield Call(route, name, label, method, path, extra={name: _latin(TEXTS[label])})
    for name, label in _shared(route, COOKIES):
        yield Call(route, name, label, method, path, extra={"HTTP_COOKIE": f"{name}={_latin(TEXTS[label])}"})


def _shared(route: str, names: Iterable[str], share: int = SHARE) -> Iterator[tuple[str, str]]:
    """Yield pairs of names and values. Each route gets others, and all routes together get every pair."""
    pairs = [(name, label) for name in names for label in TEXTS]
    yield from pairs[crc32(route.encode()) % share :: share]


def _latin(text: str) -> str:
    """Return *text* as a server passes a header (PEP 3333)."""
    return text.encode().decode("latin-1")


def _parts_of(route: str) -> list[str]:
    return [part.partition(">")[0].rpartition(":")[2] for part in route.split("<")[1:]]


def _filled(route: str, good_values: Mapping[str, str], values: Mapping[str, str]) -> str:
    head, bracket, tail = route.partition("<")
    if not bracket:
        return f"/{head}"
    inner, _end, rest = tail.partition(">")
    kind, _colon, name = inner.rpartition(":")
    value = values.get(name) or good_values.get(name, good_values["int"] if kind == "int" else good_values["id"])
    return f"/{head}{quote(value, safe='')}" + _filled(rest, good_values, values).removeprefix("/")


def _key_paths(value: Any, key_path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each member of *value*."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield (*key_path, key)
        yield from _key_paths(inner, (*key_path, key))


def _with(value: Any, key_path: Sequence[Any], new: Any) -> Any:
    """Return a copy of *value* with *new* at *key_path*."""
    if not key_path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[key_path[0]] = _with(copy[key_path[0]], key_path[1:], new)
    return copy
