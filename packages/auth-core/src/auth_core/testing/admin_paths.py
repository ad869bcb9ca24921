"""Every path on which an admin site can write: each classified by the site's own test, as routes are by `doors`."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from auth_core.testing.doors import Difference


def write_paths(site: admin.AdminSite | None = None) -> Iterator[str]:
    """Yield what *site* lets a superuser do: ``app.model: add``, ``change``, ``delete``, an action, an inline, a page.

    A page is one that a class of the site adds: what it does cannot be seen from here.

    Args:
        site: Left out: Django's default site.
    """
    site = admin.site if site is None else site
    request = HttpRequest()
    request.user = get_user_model()(is_active=True, is_staff=True, is_superuser=True)
    for model, model_admin in site._registry.items():  # noqa: SLF001 - there is no public list
        for path in _paths_of(model_admin, request):
            yield f"{model._meta.label_lower}: {path}"
    plain = {pattern.name for pattern in admin.AdminSite("plain").get_urls() if hasattr(pattern, "name")}
    for pattern in site.get_urls():
        if hasattr(pattern, "name") and pattern.name not in {*plain, "app_list"}:
            yield f"site: page {pattern.name or pattern.pattern}"


def _paths_of(model_admin: Any, request: HttpRequest) -> Iterator[str]:
    row = model_admin.model()
    if model_admin.has_add_permission(request):
        yield "add"
    if model_admin.has_change_permission(request, row):
        yield "change"
    if model_admin.has_delete_permission(request, row):
        yield "delete"
    if model_admin.list_editable:
        yield "change in the list"
    yield from (f"action {name}" for name in model_admin.get_actions(request))
    for inline in model_admin.get_inline_instances(request, row):
        may = (inline.has_add_permission, inline.has_change_permission, inline.has_delete_permission)
        if any(allowed(request, row) for allowed in may):
            yield f"inline {inline.model._meta.label_lower}"
    own = {pattern.name for pattern in admin.ModelAdmin.get_urls(model_admin)}
    yield from (f"page {one.name or one.pattern}" for one in model_admin.get_urls() if one.name not in own)


@dataclass(frozen=True, slots=True)
class AdminPaths:
    """A site's list of the write paths of its admin.

    Args:
        guarded: Each refuses an administrator who holds too little.
        exempt: Each needs no such guard: path -> why.
    """

    guarded: frozenset[str]
    exempt: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "AdminPaths":
        """Return the list in a TOML file: ``guarded`` and ``exempt``, by model."""
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            frozenset(f"{model}: {one}" for model, paths in said["guarded"].items() for one in paths),
            {f"{model}: {one}": why for model, paths in said["exempt"].items() for one, why in paths.items()},
        )

    def compare(self, site: admin.AdminSite | None = None) -> Difference:
        """Return where the list and the site differ; nothing when they do not."""
        there, listed = set(write_paths(site)), [*self.guarded, *self.exempt]
        return Difference(
            unknown=frozenset(there - set(listed)),
            gone=frozenset(set(listed) - there),
            twice=frozenset(path for path in listed if listed.count(path) > 1),
        )
