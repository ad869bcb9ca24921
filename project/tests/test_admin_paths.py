"""Every write path of the admin site is guarded or exempt, and each guard is tested over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client as Browser
from django.urls import path
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission
from oauth2_provider.models import get_application_model

from auth_core.events import AuthEvent
from auth_core.federation.models import Connection
from auth_core.oauth.applications.changes import change_application
from auth_core.oauth.models import Authorization
from auth_core.oauth.testing.factories import make_application, make_tokens
from auth_core.people import locking
from auth_core.people.lookup import identity_of
from auth_core.testing.admin_paths import AdminPaths, write_paths
from auth_core.testing.doors import Difference
from auth_core.testing.events import recording
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_mfa.models import RecoveryCodeSet
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_mailbox, add_phone, add_recovery_codes, add_totp
from auth_rbac.models import Assignment
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from auth_sessions.allowances import set_allowance
from auth_sessions.devices import block_device
from auth_sessions.models import Device, Session

pytestmark = [
    pytest.mark.django_db(transaction=bool(redis_url())),
    pytest.mark.usefixtures("captured_texts"),
]

PATHS = AdminPaths.read(Path(__file__).with_name("admin_paths.toml"))

#: The permissions of the limited administrator: all that the pages require, but not the one that they try to get.
GRANTED_APPS = ("auth_accounts", "auth_mfa", "auth_federation", "auth_oauth", "auth_sessions", "auth_rbac")
GRANTED = ("view_group", "add_group", "change_group", "delete_group", "view_identity", "change_identity")
BEYOND = "change_permission"

#: Columns that any request writes.
VOLATILE = {"last_seen_at", "last_login", "idle_expires_at", "expires_at", "data", "rotates", "evidence_stored"}


@dataclass
class World:
    """A superuser with their objects, and a limited administrator with their own group.

    Args:
        rows: The object of each model's page, by the label of the model.
    """

    root: Any
    clerk: Any
    rows: dict[str, Any] = field(default_factory=dict)

    def browser(self, *, limited: bool) -> Browser:
        return sign_in(self.clerk if limited else self.rows["chief"], assurance="aal2")


@pytest.fixture
def world(db: None) -> World:
    """All objects of the paths."""
    root = make_administrator("root@example.org")
    clerk = make_user("clerk@example.org", is_staff=True)
    own, auditors = Group.objects.create(name="clerks"), Group.objects.create(name="auditors")
    granted = Permission.objects.filter(content_type__app_label__in=GRANTED_APPS)
    own.permissions.set([*granted, *Permission.objects.filter(codename__in=GRANTED)])
    auditors.permissions.set(Permission.objects.filter(codename=BEYOND))
    clerk.groups.add(own)
    new_world = World(root, clerk)
    new_world.rows = {"chief": make_administrator("chief@example.org"), "own": own, "auth.group": auditors}
    new_world.rows |= _possessions_of(root)
    role = create_role(name="Auditor", permissions=Permission.objects.filter(codename=BEYOND))
    new_world.rows |= {"auth_rbac.role": role, "auth_rbac.assignment": assign_role(user=root, role=role)}
    service = make_application(
        grant="client-credentials", grant_types="client_credentials", is_service_account=True, name="Robot"
    )
    assign_role(service_id=service.policy.pk, role=role)
    make_tokens(make_application(), root)
    new_world.rows |= {
        "auth_oauth.applicationpolicy": service.policy,
        "auth_oauth.authorization": Authorization.objects.get(user=root),
        "auth_federation.connection": Connection.objects.create(user=root, provider="openid", issuer="i", subject="s"),
    }
    return new_world


def _possessions_of(root: Any) -> dict[str, Any]:
    factors = [add_totp(root), add_phone(root), add_mailbox(root)]
    Authenticator().added_to(root)
    add_recovery_codes(root)
    rows = {factor._meta.label_lower: factor for factor in factors}
    for model in ("webauthnfactor", "recoverycodeset", "factorhistory"):
        rows[f"auth_mfa.{model}"] = apps.get_model("auth_mfa", model).objects.get(user=root)
    sign_in(root, assurance="aal2")
    rows["auth_sessions.session"] = Session.objects.get(user=root)
    rows["auth_sessions.device"] = Device.objects.get(user=root)
    rows["auth_sessions.sessionallowance"] = set_allowance(user=root, sessions=3, policy="ask", actor=None)
    rows["auth_core.identity"] = identity_of(root)
    return rows


def state() -> dict[str, Any]:
    """Return every row of every model in the admin site, of their relations, of guardian's tables, and of applications."""
    shown = [model for model in admin.site._registry if model._meta.label_lower not in _RECORDS]
    joins = [relation.remote_field.through for model in shown for relation in model._meta.many_to_many]
    return {
        model._meta.label: [
            {name: value for name, value in row.items() if name not in VOLATILE}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in [*shown, *joins, UserObjectPermission, GroupObjectPermission, get_application_model()]
    }


#: Tables that record or send. They also grow with a refusal.
_RECORDS = {"auth_audit.auditentry", "auth_core.outboxmessage"}


# The requests for each kind of path

Drive = Callable[[World, Browser, str], Any]


def _address(model: str, *parts: Any) -> str:
    return "/".join(["/admin", *model.split("."), *(str(part) for part in parts), ""])


def _managed(browser: Browser, address: str) -> dict[str, Any]:
    """Return the management fields of a form's inlines without rows."""
    formsets = browser.get(address).context["inline_admin_formsets"]
    return {f"{one.formset.prefix}-{name}_FORMS": "0" for one in formsets for name in ("TOTAL", "INITIAL")}


def _action(world: World, browser: Browser, model: str, name: str) -> Any:
    keys = [str(world.rows[model].pk)]
    return browser.post(_address(model), {"action": name, "_selected_action": keys, "post": "yes"})


def _deleted(world: World, browser: Browser, model: str, name: str) -> Any:
    return browser.post(_address(model, world.rows[model].pk, "delete"), {"post": "yes"})


def _beyond() -> list[int]:
    return list(Permission.objects.filter(codename=BEYOND).values_list("pk", flat=True))


def _added_group(world: World, browser: Browser, model: str, name: str) -> Any:
    address = _address(model, "add")
    return browser.post(address, {"name": "mine", "permissions": _beyond(), **_managed(browser, address)})


def _grown_group(world: World, browser: Browser, model: str, name: str) -> Any:
    address, granted = _address(model, world.rows["own"].pk, "change"), world.rows["own"].permissions.values_list("pk")
    permissions = [*(pk for (pk,) in granted), *_beyond()]
    return browser.post(address, {"name": "clerks", "permissions": permissions, **_managed(browser, address)})


def _changed_user(world: World, browser: Browser, model: str, name: str) -> Any:
    address = _address(model, world.root.pk, "change")
    fields = {"username": "", "display_name": "Nobody", "locale": "", "timezone": ""}
    flags = {"is_staff": "on", "is_superuser": "on"}
    return browser.post(address, {**fields, **flags, **_managed(browser, address)})


def _role(world: World, browser: Browser, address: str, name: str) -> Any:
    fields = {"description": "mine", "wildcards": "", "denied_wildcards": ""}
    return browser.post(address, {"name": name, "permissions": _beyond(), **fields})


def _added_role(world: World, browser: Browser, model: str, name: str) -> Any:
    return _role(world, browser, _address(model, "add"), "Mine")


def _changed_role(world: World, browser: Browser, model: str, name: str) -> Any:
    return _role(world, browser, _address(model, world.rows[model].pk, "change"), "Auditor")


def _added_assignment(world: World, browser: Browser, model: str, name: str) -> Any:
    fields = {"user": world.clerk.pk, "role": world.rows["auth_rbac.role"].pk, "scope_id": "", "reason": ""}
    when = {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00"}
    return browser.post(_address(model, "add"), {**fields, **when})


def _object_permission(world: World, browser: Browser, model: str, name: str) -> Any:
    kind, holder = ("group", world.rows["own"]) if name.endswith("group") else ("person", world.clerk)
    named = {"permission": "auth.change_group", "kind": "auth.group", "key": str(world.rows["auth.group"].pk)}
    return browser.post(_address(model, "objects", kind, holder.pk), {"action": "give", **named})


def _added_allowance(world: World, browser: Browser, model: str, name: str) -> Any:
    fields = {"user": world.rows["chief"].pk, "sessions": "1", "policy": "deny_new"}
    return browser.post(_address(model, "add"), fields)


def _changed_allowance(world: World, browser: Browser, model: str, name: str) -> Any:
    fields = {"sessions": "1", "policy": "deny_new"}
    return browser.post(_address(model, world.rows[model].pk, "change"), fields)


def _changed_application(world: World, browser: Browser, model: str, name: str) -> Any:
    fields = {"name": "Mine", "grants": "client_credentials", "active": "on", "service_account": "on"}
    more = {
        "token_format": "jwt",
        "subject_type": "public",
        "backchannel_session_required": "on",
        "redirect_uris": "https://rp.example/callback",
    }
    return browser.post(_address(model, world.rows[model].pk, "change"), {**fields, **more})


def _replaced_secret(world: World, browser: Browser, model: str, name: str) -> Any:
    return browser.post(_address(model, world.rows[model].pk, "secret"), {"overlap": "0"})


DRIVEN: dict[str, Drive] = {
    "auth_oauth.applicationpolicy: change": _changed_application,
    "auth_oauth.applicationpolicy: page auth_oauth_applicationpolicy_secret": _replaced_secret,
    "auth.group: add": _added_group,
    "auth.group: change": _grown_group,
    "auth_accounts.user: change": _changed_user,
    "auth_rbac.role: add": _added_role,
    "auth_rbac.role: change": _changed_role,
    "auth_rbac.assignment: add": _added_assignment,
    "auth_rbac.assignment: page auth_rbac_objects_of_person": _object_permission,
    "auth_rbac.assignment: page auth_rbac_objects_of_group": _object_permission,
    "auth_sessions.sessionallowance: add": _added_allowance,
    "auth_sessions.sessionallowance: change": _changed_allowance,
}


def drive(world: World, browser: Browser, written: str) -> Any:
    """Send the request for *written*, against the superuser or in favour of the limited administrator."""
    model, _colon, how = written.partition(": ")
    kind, _space, name = how.partition(" ")
    default = {"action": _action, "delete": _deleted}.get(kind)
    return (DRIVEN.get(written) or default)(world, browser, model, name or how)  # type: ignore[misc]  # a path without a driver fails


def prepare(world: World, written: str) -> None:
    """Disable, lock or block the object that the path opens again."""
    if written == "auth_oauth.applicationpolicy: action enable":
        change_application(policy=world.rows["auth_oauth.applicationpolicy"], is_active=False)
    elif written == "auth_federation.connection: action enable":
        Connection.objects.update(disabled_at=timezone.now())
    elif written.endswith("enable"):
        locking.disable_account(user=world.root)
    if written.endswith("unlock"):
        locking.lock_account(user=world.root)
    if written.endswith("unblock"):
        block_device(device=world.rows["auth_sessions.device"])


def is_refused(browser: Browser, answer: Any) -> bool:
    """Return whether the response is a refusal: 403, or a redirect to a page with an error message."""
    if answer.status_code in (302, 303):
        page = browser.get(answer.headers["Location"])
        return any(message.level_tag == "error" for message in page.context["messages"])
    return bool(answer.status_code == 403)


# The list


def test_every_write_path_of_the_admin_site_is_listed() -> None:
    models, paths = len(admin.site._registry), list(write_paths())

    assert PATHS.compare() == Difference()
    assert all(PATHS.exempt.values())
    print(f"models {models}, write paths {len(paths)}, guarded {len(PATHS.guarded)}, exempt {len(PATHS.exempt)}")
    assert (models, len(paths)) == (26, len(PATHS.guarded) + len(PATHS.exempt))


class Planted(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """An unclassified page."""

    list_display = ("name", "codename")
    list_editable = ("codename",)
    inlines = (type("Members", (admin.TabularInline,), {"model": Group.permissions.through}),)
    actions = ("grow",)

    @admin.action(description="grow")
    def grow(self, request: Any, queryset: Any) -> None:
        """Do something invisible from outside."""

    def get_urls(self) -> Any:
        return [path("raw/", self.grow, name="planted_raw"), *super().get_urls()]


def test_an_unclassified_admin_page_is_detected() -> None:
    site = admin.AdminSite("planted")
    site._registry = {**admin.site._registry}
    site.register(Permission, Planted)

    seen = {name.removeprefix("auth.permission: ") for name in PATHS.compare(site).unknown}

    assert seen == {
        "add", "change", "delete", "change in the list", "inline auth.group_permissions",
        "action delete_selected", "action grow", "page planted_raw",
    }  # fmt: skip


def test_a_removed_path_is_detected() -> None:
    site = admin.AdminSite("empty")

    assert PATHS.compare(site).gone == {*PATHS.guarded, *PATHS.exempt}


# The guards


#: Django rolls back a bulk deletion with the outermost transaction, which must be that of the request.
OUTERMOST = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "written", [pytest.param(one, marks=OUTERMOST if "delete_selected" in one else ()) for one in sorted(PATHS.guarded)]
)
def test_a_limited_administrator_is_refused_and_nothing_changes(written: str, world: World) -> None:
    prepare(world, written)
    browser = world.browser(limited=True)
    before = state()

    with recording() as events:
        answer = drive(world, browser, written)

    refused = is_refused(browser, answer)
    assert refused, (answer.status_code, answer.content[:500])
    assert state() == before
    assert AuthEvent.ACCESS_DENIED in {event.name for event in events}


@pytest.mark.parametrize("written", sorted(PATHS.guarded))
def test_a_superuser_may_use_every_path(written: str, world: World) -> None:
    prepare(world, written)
    browser = world.browser(limited=False)
    before = state()

    answer = drive(world, browser, written)

    assert not is_refused(browser, answer), (answer.status_code, answer.content[:500])
    if not written.endswith("mail_reset_link"):
        assert state() != before


def test_no_administrator_deletes_a_user(world: World) -> None:
    browser, before, page = world.browser(limited=False), state(), "/admin/auth_accounts/user/"

    one = browser.post(f"{page}{world.clerk.pk}/delete/", {"post": "yes"})
    body = {"action": "delete_selected", "_selected_action": [str(world.clerk.pk)], "post": "yes"}
    many = browser.post(page, body)

    assert (one.status_code, many.status_code) == (403, 200)  # the list has no such action, and shows itself again
    assert state() == before


@pytest.mark.parametrize("action", ["disable", "enable", "lock", "unlock", "mail_reset_link"])
def test_an_action_on_two_users_changes_only_the_permitted_one(action: str, world: World, alice: Any) -> None:
    browser, rows = world.browser(limited=True), [identity_of(alice), identity_of(world.root)]

    answer = browser.post(
        "/admin/auth_core/identity/", {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    )

    levels = {message.level_tag for message in browser.get(answer.headers["Location"]).context["messages"]}
    assert levels == {"error", "success"}
    world.root.refresh_from_db()
    assert world.root.is_active


def test_the_api_refuses_to_end_the_session_of_a_user_who_holds_more(world: World) -> None:
    browser, session = world.browser(limited=True), world.rows["auth_sessions.session"]

    refused = browser.delete(f"/api/v1/users/sessions/{session.pk}/")

    session.refresh_from_db()
    assert (refused.status_code, refused.json()["code"], session.ended_at) == (403, "permission_denied", None)
    assert world.browser(limited=False).delete(f"/api/v1/users/sessions/{session.pk}/").status_code == 204


def test_a_read_only_page_does_not_save(world: World) -> None:
    """Saving a row that was read before a lock or an end would remove it again."""
    browser, before = world.browser(limited=False), state()

    for model in ("auth_core.identity", "auth_sessions.session", "auth_sessions.device", "auth_oauth.authorization"):
        assert browser.post(_address(model, world.rows[model].pk, "change"), {}).status_code == 403

    assert state() == before
    assert Assignment.objects.count() == 2
    assert RecoveryCodeSet.objects.count() == 1
