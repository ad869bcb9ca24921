"""The write paths of an admin site. A test of the site classifies each one, as `doors` does for routes."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from auth_core.testing.doors import Difference

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


def write_paths(site: admin.AdminSite | None = None) -> Iterator[str]:
    """Yield what a superuser can do on *site*: ``app.model: add``, ``change``, ``delete``, actions, inlines, pages.

    Pages are the ones that the site or a `ModelAdmin` adds. Their effect is unknown here.

    Args:
        site: Defaults to Django's default site.
    """
    site = admin.site if site is None else site
    request = HttpRequest()
    request.user = get_user_model()(is_active=True, is_staff=True, is_superuser=True)
    for model, model_admin in site._registry.items():  # noqa: SLF001 - Django has no public list
        for path in _paths_of(model_admin, request):
            yield f"{model._meta.label_lower}: {path}"
    plain = {pattern.name for pattern in admin.AdminSite("plain").get_urls() if hasattr(pattern, "name")}
    for pattern in site.get_urls():
        if hasattr(pattern, "name") and pattern.name not in {*plain, "app_list"}:
            yield f"site: page {pattern.name or pattern.pattern}"


def _paths_of(model_admin: "ModelAdmin[Any]", request: HttpRequest) -> Iterator[str]:
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
        checks = (inline.has_add_permission, inline.has_change_permission, inline.has_delete_permission)
        if any(check(request, row) for check in checks):
            yield f"inline {inline.model._meta.label_lower}"
    own = {pattern.name for pattern in admin.ModelAdmin.get_urls(model_admin)}
    yield from (f"page {one.name or one.pattern}" for one in model_admin.get_urls() if one.name not in own)


@dataclass(frozen=True, slots=True)
class AdminPaths:
    """The write paths of an admin site, as its test lists them.

    Args:
        guarded: Paths that refuse an administrator with too few permissions.
        exempt: Paths that need no such guard, with the reason for each.
    """

    guarded: frozenset[str]
    exempt: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "AdminPaths":
        """Read the list from a TOML file with the tables ``guarded`` and ``exempt``, by model."""
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            frozenset(f"{model}: {one}" for model, paths in tables["guarded"].items() for one in paths),
            {f"{model}: {one}": why for model, paths in tables["exempt"].items() for one, why in paths.items()},
        )

    def compare(self, site: admin.AdminSite | None = None) -> Difference:
        """Return the difference between the list and the site. It is false when there is none."""
        actual, listed = set(write_paths(site)), [*self.guarded, *self.exempt]
        return Difference(
            unknown=frozenset(actual - set(listed)),
            gone=frozenset(set(listed) - actual),
            twice=frozenset(path for path in listed if listed.count(path) > 1),
        )
