"""Every route is known for what it is, and no code of ours signs anybody in past the one door."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client as Browser
from django.urls import get_resolver

from auth_core.testing.settings import redis_url
from conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

ROOT = Path(__file__).parents[2]
DOORS: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "doors.toml").read_text())

#: What opens a session of Django's, past limits, factors and trail.
_PAST_THE_DOOR = {"login", "alogin", "force_login"}


def routes(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Yield every route that the service answers, but the admin's own."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = f"{prefix}{pattern.pattern}"
        if route.startswith("admin/"):
            continue
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def addresses(*kinds: str) -> list[str]:
    """Return the routes of these kinds as addresses that can be called."""
    return [_filled(route) for kind in kinds for route in DOORS[kind]]


def _filled(route: str) -> str:
    head, bracket, tail = route.partition("<")
    if not bracket:
        return f"/{route}"
    value = str(UUID(int=7)) if tail.startswith("uuid") else "elr_" + "x" * 43
    return f"/{head}{value}{tail.partition('>')[2]}"


@pytest.mark.asvs("6.1.3")
@pytest.mark.asvs("6.3.4")
def test_every_route_is_known_for_what_it_is() -> None:
    known = [route for kind in DOORS.values() for route in kind]

    assert len(known) == len(set(known))
    assert set(routes()) == set(known)


@pytest.mark.parametrize("address", addresses("signed_in", "permitted"))
def test_nobody_gets_in_without_a_session(address: str) -> None:
    for method in ("get", "post", "delete", "patch"):
        answer = getattr(Browser(), method)(address)
        if address.startswith("/api/"):
            assert answer.status_code in (401, 405), method
        else:
            assert answer.headers["Location"].startswith("/login/?next="), method


@pytest.mark.parametrize("address", addresses("permitted"))
def test_staff_alone_is_no_permission(address: str, alice: Any) -> None:
    alice.is_staff = True
    alice.save()
    body = {"identifier": "alice@example.org", "password": PASSWORD, "transport": "token"}
    credential = Browser().post("/api/v1/login/", body, content_type="application/json").json()["credential"]
    caller = Browser(HTTP_AUTHORIZATION=f"Session {credential}")

    for method in ("get", "post", "delete"):
        assert getattr(caller, method)(address).status_code in (403, 405), method


@pytest.mark.parametrize("address", addresses("open", "door"))
def test_an_open_route_gives_nobody_a_session(address: str) -> None:
    browser = Browser()
    for method in ("get", "post"):
        getattr(browser, method)(address)

    assert not {"sessionid", "__Host-session"} & set(browser.cookies)
    assert browser.get("/api/v1/me/").status_code == 401


def past_the_door(text: str) -> set[str]:
    """Return what a module takes from `django.contrib.auth` that would sign somebody in."""
    tree = ast.parse(text)
    taken = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.contrib.auth"
        for alias in node.names
    }
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name) and node.func.value.id in ("auth", "client")
    }  # fmt: skip
    return _PAST_THE_DOOR & (taken | called)


def test_no_code_of_ours_signs_anybody_in_past_the_door() -> None:
    sources = [*ROOT.glob("packages/*/src/**/*.py"), *ROOT.glob("project/enterprise_auth/**/*.py")]
    running = [path for path in sources if "testing" not in path.parts]

    assert len(running) > 100
    assert {path.name: past_the_door(path.read_text()) for path in running if past_the_door(path.read_text())} == {}


@pytest.mark.parametrize(
    "planted",
    [
        "from django.contrib.auth import login\ndef view(request):\n    login(request, request.user)",
        "from django.contrib import auth\ndef view(request):\n    auth.login(request, request.user)",
    ],
)
def test_a_view_that_signs_in_by_itself_is_seen(planted: str) -> None:
    assert past_the_door(planted) == {"login"}


def test_a_route_that_nobody_classified_is_seen() -> None:
    class Planted:
        pattern = "back-door/"

    assert set(routes([Planted()])) - {route for kind in DOORS.values() for route in kind} == {"back-door/"}
