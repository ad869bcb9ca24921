"""Second factors in the admin site and in the command."""

import io
import re
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone

from auth_core.events import AuthEvent, Event
from auth_core.people.lookup import identity_of
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import delivered
from auth_core.testing.plans import unindexed
from auth_core.testing.sessions import sign_in
from auth_mfa.events import MfaEvent
from auth_mfa.factors import factors_of
from auth_mfa.models import FactorHistory, PhoneFactor, SmsPrefix, TotpFactor, WebauthnFactor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import KEY, NUMBER, add_mailbox, add_phone, add_recovery_codes, add_totp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("admin_site", "captured_texts")]

SITE = "/admin/auth_mfa/"
KINDS = ("totpfactor", "phonefactor", "emailfactor", "webauthnfactor", "recoverycodeset")


@pytest.fixture
def admin_site(settings: Any) -> None:
    """A site with Django's admin."""
    settings.ROOT_URLCONF = "admin_urls"
    ours = [name for name in site_settings.INSTALLED_APPS if name != "django.contrib.admin"]
    settings.INSTALLED_APPS = ["django.contrib.admin", "django.contrib.messages", *ours]
    settings.MIDDLEWARE = [*site_settings.MIDDLEWARE, "django.contrib.messages.middleware.MessageMiddleware"]
    settings.STATIC_URL = "/static/"
    processors = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
    processors += ["django.contrib.messages.context_processors.messages"]
    engine = "django.template.backends.django.DjangoTemplates"
    settings.TEMPLATES = [{"BACKEND": engine, "APP_DIRS": True, "OPTIONS": {"context_processors": processors}}]


@pytest.fixture
def chief(db: None) -> User:
    return User.objects.create_superuser("chief", "chief@example.org", PASSWORD)


@pytest.fixture
def site(chief: User, admin_site: None) -> Browser:
    return sign_in(chief)


@pytest.fixture
def equipped(alice: User) -> dict[str, Any]:
    """Alice's factors by the name of their model."""
    add_totp(alice)
    add_mailbox(alice)
    add_phone(alice)
    Authenticator().added_to(alice)
    sheet = add_recovery_codes(alice)
    rows = (TotpFactor.objects.get(), PhoneFactor.objects.get(), WebauthnFactor.objects.get(), sheet.factor)
    return {row._meta.model_name: row for row in rows} | {"codes": sheet.codes}


def act(site: Browser, model: str, action: str, *keys: Any, **body: str) -> Any:
    return site.post(f"{SITE}{model}/", {"action": action, "_selected_action": [str(key) for key in keys], **body})


def listed(site: Browser, model: str, **query: Any) -> list[Any]:
    answer = site.get(f"{SITE}{model}/", query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def staff(*permissions: str) -> Browser:
    watcher = User.objects.create_user("watcher", "watcher@example.org", PASSWORD, is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return sign_in(watcher)


# Pages


def test_no_page_shows_a_secret_a_number_or_an_address(site: Browser, alice: User, equipped: dict[str, Any]) -> None:
    # Only the address of the factor is tested. The admin shows users by name.
    User.objects.filter(pk=alice.pk).update(email="")
    credential = equipped["webauthnfactor"]
    secrets = [TotpFactor.objects.get().seed, NUMBER, "alice@example.org", credential.credential_id]
    secrets += [credential.public_key, equipped["recoverycodeset"].salt, *equipped["codes"]]

    pages = [site.get(f"{SITE}{kind}/") for kind in (*KINDS, "factorhistory")]
    pages += [site.get(f"{SITE}{kind}/{row.pk}/change/") for kind, row in equipped.items() if kind != "codes"]
    pages.append(site.get(f"{SITE}factorhistory/{alice.pk}/change/"))

    for page in pages:
        assert page.status_code == 200
        assert [secret for secret in secrets if secret in page.content.decode()] == []
    assert KEY.decode() not in pages[0].content.decode()
    assert "Text messages to •••• 67" in pages[1].content.decode()


def test_a_page_that_shows_a_number_is_seen(
    site: Browser, equipped: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_mfa.admin.description_of", lambda factor: getattr(factor, "number", ""))

    assert NUMBER in site.get(f"{SITE}phonefactor/").content.decode()


def test_search_finds_users_by_public_id_address_and_name(site: Browser, alice: User, equipped: dict[str, Any]) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", PASSWORD)
    add_totp(bob)
    subject = identity_of(alice).subject_id

    for model in ("totpfactor", "factorhistory"):
        for term in (subject, "alice", " alice "):
            assert [row.user for row in listed(site, model, q=str(term))] == [alice], (model, term)
        for nonsense in ("nobody@example.org", "x" * 500, "'--", "00000000-0000-0000-0000-000000000000"):
            assert listed(site, model, q=nonsense) == [], (model, nonsense)
    assert listed(site, "totpfactor", q=str(equipped["totpfactor"].pk)) == [equipped["totpfactor"]]


def test_a_factor_history_lists_the_factors_of_its_user(site: Browser, alice: User, equipped: dict[str, Any]) -> None:
    page = site.get(f"{SITE}factorhistory/{alice.pk}/change/").content.decode()

    for line in ("Phone (Authenticator app)", "Mobile (Text messages to •••• 67)", "Recovery codes: 10 left"):
        assert line in page


def test_a_name_is_escaped(site: Browser, alice: User) -> None:
    add_totp(alice, name="<script>x</script>")

    assert "<script>x" not in site.get(f"{SITE}factorhistory/{alice.pk}/change/").content.decode()
    confirmation = act(site, "factorhistory", "reset", alice.pk)
    assert "<script>x" not in confirmation.content.decode()


# Actions


@pytest.mark.parametrize("kind", ["totpfactor", "phonefactor", "webauthnfactor", "recoverycodeset"])
def test_removing_a_factor_records_the_administrator(
    kind: str, site: Browser, chief: User, alice: User, equipped: dict[str, Any], recorded_events: list[Event]
) -> None:
    row = equipped[kind]

    act(site, kind, "remove", row.pk)

    assert row.pk not in {owned.id for owned in factors_of(alice)}
    (event,) = [event for event in recorded_events if event.name is AuthEvent.FACTOR_REMOVED]
    assert (event.subject, event.actor, event.reason) == (alice, chief, "administrator")


def test_a_reset_asks_for_confirmation_and_removes_all_factors(
    site: Browser, chief: User, alice: User, equipped: dict[str, Any], recorded_events: list[Event]
) -> None:
    delivered()
    confirmation = act(site, "factorhistory", "reset", alice.pk)
    before = factors_of(alice)
    keys = re.findall(r'name="_selected_action" value="(\w+)"', confirmation.content.decode())

    done = act(site, "factorhistory", "reset", *keys, post="yes")

    assert "Mobile (Text messages to •••• 67)" in confirmation.content.decode()
    assert len(before) == 5
    assert done.status_code == 302
    assert factors_of(alice) == []
    assert not FactorHistory.objects.had_factor(alice)
    (event,) = [event for event in recorded_events if event.name is MfaEvent.FACTORS_RESET]
    assert (event.subject, event.actor, event.reason) == (alice, chief, "administrator")
    assert any("were reset" in mail.subject for mail in delivered())


def test_a_user_without_a_history_is_reset_from_a_factor(site: Browser, alice: User) -> None:
    row = add_totp(alice)
    FactorHistory.objects.all().delete()

    act(site, "totpfactor", "reset", row.pk, post="yes")

    assert factors_of(alice) == []


def test_administrators_cannot_reset_or_remove_their_own_factors(site: Browser, chief: User) -> None:
    row = add_totp(chief)

    reset = act(site, "factorhistory", "reset", chief.pk, post="yes")
    act(site, "totpfactor", "remove", row.pk)
    output = site.get(reset.headers["Location"]).content.decode()

    assert [owned.id for owned in factors_of(chief)] == [row.pk]
    assert "Ask another administrator" in output


def test_view_permission_alone_changes_nothing(alice: User, equipped: dict[str, Any]) -> None:
    site = staff(*(f"view_{kind}" for kind in (*KINDS, "factorhistory", "smsprefix")), "change_factorhistory")

    for kind, row in equipped.items():
        if kind != "codes":
            act(site, kind, "remove", row.pk)
            act(site, kind, "reset", row.pk, post="yes")
    act(site, "factorhistory", "reset", alice.pk, post="yes")

    assert site.get(f"{SITE}factorhistory/").status_code == 200
    assert len(factors_of(alice)) == 5


def test_the_reset_permission_allows_only_the_reset(alice: User, equipped: dict[str, Any]) -> None:
    site = staff("view_factorhistory", "reset_factors")

    assert site.get(f"{SITE}totpfactor/").status_code == 403
    act(site, "factorhistory", "reset", alice.pk, post="yes")

    assert factors_of(alice) == []


@pytest.mark.parametrize("page", ["add/", "{key}/delete/"])
def test_the_admin_has_no_add_and_delete_pages(page: str, site: Browser, equipped: dict[str, Any]) -> None:
    for kind, row in equipped.items():
        if kind != "codes":
            assert site.get(f"{SITE}{kind}/{page.format(key=row.pk)}").status_code == 403


# Phone prefixes


def test_a_closed_prefix_can_be_reopened(site: Browser, chief: User, recorded_events: list[Event]) -> None:
    SmsPrefix.objects.create(prefix="+41791", sent=4, used=3)
    closed = SmsPrefix.objects.create(prefix="+99937")
    closed.close(pause=timezone.timedelta(hours=1))

    rows = listed(site, "smsprefix")
    act(site, "smsprefix", "open_again", "+41791", "+99937")

    closed.refresh_from_db()
    assert [row.prefix for row in rows] == ["+99937", "+41791"]
    assert not closed.is_closed
    (event,) = [event for event in recorded_events if event.name is MfaEvent.SMS_PREFIX_OPENED]
    assert (event.actor, event.data) == (chief, {"prefix": "+99937"})


def test_view_permission_alone_reopens_no_prefix(db: None) -> None:
    closed = SmsPrefix.objects.create(prefix="+99937")
    closed.close(pause=timezone.timedelta(hours=1))

    act(staff("view_smsprefix"), "smsprefix", "open_again", "+99937")

    closed.refresh_from_db()
    assert closed.is_closed


# The command


def reset(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reset_second_factors", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("named", ["alice", "public id"])
def test_the_command_resets_the_named_user(
    named: str, alice: User, equipped: dict[str, Any], recorded_events: list[Event]
) -> None:
    subject = str(identity_of(alice).subject_id)

    output = reset(subject if named == "public id" else named, "--no-input", "--reason", "lost_everything")

    assert output == f"Removed 5 second factors of {subject}.\n"
    assert factors_of(alice) == []
    (event,) = [event for event in recorded_events if event.name is MfaEvent.FACTORS_RESET]
    assert (event.actor, event.reason) == (None, "lost_everything")


def test_the_command_asks_for_confirmation(
    alice: User, equipped: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "no")

    with pytest.raises(CommandError, match="Nothing was removed"):
        reset("alice")
    assert len(factors_of(alice)) == 5


def test_the_command_refuses_an_unknown_user(db: None) -> None:
    with pytest.raises(CommandError, match="User not found"):
        reset("nobody", "--no-input")


@pytest.mark.parametrize("reason", ["Two words", "x" * 33, ""])
def test_a_reason_is_one_word(reason: str, alice: User) -> None:
    with pytest.raises(CommandError, match="one word"):
        reset("alice", "--no-input", f"--reason={reason}")


@pytest.mark.postgresql
@pytest.mark.parametrize("term", ["00000000-0000-0000-0000-000000000000", "nobody@example.org", "nobody"])
@pytest.mark.parametrize("model", [TotpFactor, WebauthnFactor, FactorHistory])
def test_an_index_serves_the_search(model: Any, term: str, db: None) -> None:
    request = RequestFactory().get("/")
    rows = model._default_manager.order_by("-pk")

    def search() -> None:
        matches, _has_duplicates = admin.site.get_model_admin(model).get_search_results(request, rows, term)
        list(matches[:100])

    assert unindexed(search) == []
