"""Administrators of the test site, and the three ways in which they change an application."""

import io
import json
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from oauth2_provider.models import get_application_model

from auth_core.oauth.models import ApplicationPolicy, Authorization, Consent, Resource
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.sessions import sign_in

API, ADMIN = "/api/v1/applications/", "/admin/auth_oauth/applicationpolicy/"
RESOURCES = "/api/v1/resources/"

#: What the form of the admin has when nothing is filled in.
EMPTY_FORM = {
    "grants": ["authorization_code", "refresh_token"],
    "token_format": "jwt",
    "subject_type": "public",
    "backchannel_session_required": "on",
}


def browser_of_administrator() -> Browser:
    """Return the browser of a superuser."""
    return sign_in(make_administrator(), assurance="aal2")


def browser_of_clerk(*codenames: str, **columns: Any) -> Browser:
    """Return the browser of a person with these permissions of the app."""
    clerk = make_user(**columns)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth_oauth", codename__in=codenames))
    return sign_in(clerk, assurance="aal2")


def send(browser: Browser, method: str, address: str, **body: Any) -> Any:
    """Send a request with a JSON body."""
    return getattr(browser, method)(address, body, content_type="application/json")


def state() -> dict[str, list[Any]]:
    """Return every row that a change of an application could affect."""
    models: list[Any] = [get_application_model(), ApplicationPolicy, Resource, Authorization, Consent]
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models}


def form_of(policy: ApplicationPolicy | None = None, **fields: Any) -> dict[str, Any]:
    """Return the fields of the admin's form, as a browser shows and posts them."""
    shown: dict[str, Any] = dict(EMPTY_FORM) if policy is None else _shown(policy)
    return {name: value for name, value in {**shown, **fields}.items() if value is not None}


#: Texts in columns of the policy that the form shows as they are.
_TEXTS = (
    "auth_method", "jwks", "jwks_uri", "profile", "subject_type", "sector_identifier_uri", "userinfo_signed_response_alg",
)  # fmt: skip


def _shown(policy: ApplicationPolicy) -> dict[str, Any]:
    row: Any = policy.application
    flags = {
        "active": policy.is_active,
        "first_party": policy.is_first_party,
        "service_account": policy.is_service_account,
        "require_par": policy.require_par,
        "require_dpop": policy.require_dpop,
    }
    return {
        **EMPTY_FORM,
        "name": row.name,
        "redirect_uris": "\n".join(row.redirect_uris.split()),
        "scopes": "\n".join(policy.scopes.split()),
        **{name: getattr(policy, name) for name in _TEXTS},
        "exchange_audiences": "\n".join(policy.exchange_audiences.split()),
        "authorization_details_types": "\n".join(policy.authorization_details_types.split()),
        **({"grants": policy.grant_types.split()} if policy.grant_types else {}),
        **{name: "on" for name, is_set in flags.items() if is_set},
    }


def _for_api(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as the API has them: a key set is an object, and null if it is empty."""
    return {**values, **({"jwks": json.loads(values["jwks"] or "null")} if "jwks" in values else {})}


def create_by_api(**values: Any) -> bool:
    """Register an application through the API. Return whether it was refused."""
    answer = send(browser_of_administrator(), "post", API, **{"name": "New", **_for_api(values)})
    assert answer.status_code in (201, 400), answer.content
    return bool(answer.status_code == 400)


def create_by_admin(**values: Any) -> bool:
    """Register an application in the admin. Return whether it was refused."""
    fields = {
        name: "\n".join(new) if isinstance(new, list) and name != "grants" else new for name, new in values.items()
    }
    answer = browser_of_administrator().post(f"{ADMIN}add/", form_of(name=fields.pop("name", "New"), **fields))
    assert answer.status_code in (200, 303), answer.content
    return bool(answer.status_code == 200)


def create_by_command(**values: Any) -> bool:
    """Register an application by the command. Return whether it was refused."""
    options = {
        "redirect_uris": "--redirect-uri",
        "grants": "--grant",
        "scopes": "--scope",
        "exchange_audiences": "--exchange-audience",
        "authorization_details_types": "--authorization-details-type",
    }
    arguments = ["--name", values.pop("name", "New")]
    for name, new in values.items():
        option = options.get(name, f"--{name.replace('_', '-')}")
        for one in new if isinstance(new, list) else [new]:
            arguments += [option] if one is True else [f"{option}={one}"]
    try:
        call_command("create_application", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    except CommandError:
        return True
    return False


def change_by_api(policy: ApplicationPolicy, **values: Any) -> bool:
    """Change an application through the API. Return whether it was refused."""
    answer = send(browser_of_administrator(), "patch", f"{API}{policy.pk}/", **_for_api(values))
    assert answer.status_code in (200, 400), answer.content
    return bool(answer.status_code == 400)


def change_by_admin(policy: ApplicationPolicy, **values: Any) -> bool:
    """Change an application in the admin. Return whether it was refused."""
    fields = {
        name: "\n".join(new) if isinstance(new, list) and name != "grants" else new for name, new in values.items()
    }
    flags = {name: ("on" if new else None) for name, new in fields.items() if isinstance(new, bool)}
    answer = browser_of_administrator().post(f"{ADMIN}{policy.pk}/change/", form_of(policy, **fields | flags))
    assert answer.status_code in (200, 302), answer.content
    return bool(answer.status_code == 200)


#: The ways to register an application, and the ways to change one.
CREATE: dict[str, Callable[..., bool]] = {"api": create_by_api, "admin": create_by_admin, "command": create_by_command}
CHANGE: dict[str, Callable[..., bool]] = {"api": change_by_api, "admin": change_by_admin}


def run(name: str, *arguments: str) -> Any:
    """Run a command with ``--json``, and return what it prints."""
    out = io.StringIO()
    call_command(name, *arguments, "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]
