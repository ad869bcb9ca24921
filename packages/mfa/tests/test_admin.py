"""Second factors in the admin site and from a shell, for those who may."""

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
    """All that alice has, by the name of its model."""
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


# What is shown


def test_no_page_shows_a_secret_a_number_or_an_address(site: Browser, alice: User, equipped: dict[str, Any]) -> None:
    # The address alone: who somebody is, the admin shows by their name.
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


def test_people_are_found_by_public_id_address_and_name(site: Browser, alice: User, equipped: dict[str, Any]) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", PASSWORD)
    add_totp(bob)
    subject = identity_of(alice).subject_id

    for model in ("totpfactor", "factorhistory"):
        for term in (subject, "alice", " alice "):
            assert [row.user for row in listed(site, model, q=str(term))] == [alice], (model, term)
        for nonsense in ("nobody@example.org", "x" * 500, "'--", "00000000-0000-0000-0000-000000000000"):
            assert listed(site, model, q=nonsense) == [], (model, nonsense)
    assert listed(site, "totpfactor", q=str(equipped["totpfactor"].pk)) == [equipped["totpfactor"]]


def test_a_standing_says_what_its_person_has(site: Browser, alice: User, equipped: dict[str, Any]) -> None:
    page = site.get(f"{SITE}factorhistory/{alice.pk}/change/").content.decode()

    for line in ("Phone (Authenticator app)", "Mobile (Text messages to •••• 67)", "Recovery codes: 10 left"):
        assert line in page


def test_a_name_is_text(site: Browser, alice: User) -> None:
    add_totp(alice, name="<script>x</script>")

    assert "<script>x" not in site.get(f"{SITE}factorhistory/{alice.pk}/change/").content.decode()
    asked = act(site, "factorhistory", "reset", alice.pk)
    assert "<script>x" not in asked.content.decode()


# What can be done


@pytest.mark.parametrize("kind", ["totpfactor", "phonefactor", "webauthnfactor", "recoverycodeset"])
def test_one_factor_is_removed_and_the_trail_says_by_whom(
    kind: str, site: Browser, chief: User, alice: User, equipped: dict[str, Any], recorded_events: list[Event]
) -> None:
    row = equipped[kind]

    act(site, kind, "remove", row.pk)

    assert row.pk not in {held.id for held in factors_of(alice)}
    (event,) = [event for event in recorded_events if event.name is AuthEvent.FACTOR_REMOVED]
    assert (event.subject, event.actor, event.reason) == (alice, chief, "administrator")


def test_a_reset_is_asked_once_more_and_then_takes_all_away(
    site: Browser, chief: User, alice: User, equipped: dict[str, Any], recorded_events: list[Event]
) -> None:
    delivered()
    asked = act(site, "factorhistory", "reset", alice.pk)
    before = factors_of(alice)
    keys = re.findall(r'name="_selected_action" value="(\w+)"', asked.content.decode())

    done = act(site, "factorhistory", "reset", *keys, post="yes")

    assert "Mobile (Text messages to •••• 67)" in asked.content.decode()
    assert len(before) == 5
    assert done.status_code == 302
    assert factors_of(alice) == []
    assert not FactorHistory.objects.had_factor(alice)
    (event,) = [event for event in recorded_events if event.name is MfaEvent.FACTORS_RESET]
    assert (event.subject, event.actor, event.reason) == (alice, chief, "administrator")
    assert any("were taken away" in mail.subject for mail in delivered())


def test_whoever_has_no_standing_is_reset_by_a_factor_of_theirs(site: Browser, alice: User) -> None:
    row = add_totp(alice)
    FactorHistory.objects.all().delete()

    act(site, "totpfactor", "reset", row.pk, post="yes")

    assert factors_of(alice) == []


def test_nobody_resets_or_removes_their_own_here(site: Browser, chief: User) -> None:
    row = add_totp(chief)

    reset = act(site, "factorhistory", "reset", chief.pk, post="yes")
    act(site, "totpfactor", "remove", row.pk)
    told = site.get(reset.headers["Location"]).content.decode()

    assert [held.id for held in factors_of(chief)] == [row.pk]
    assert "another administrator resets them" in told


def test_whoever_may_only_look_changes_nothing(alice: User, equipped: dict[str, Any]) -> None:
    site = staff(*(f"view_{kind}" for kind in (*KINDS, "factorhistory", "smsprefix")), "change_factorhistory")

    for kind, row in equipped.items():
        if kind != "codes":
            act(site, kind, "remove", row.pk)
            act(site, kind, "reset", row.pk, post="yes")
    act(site, "factorhistory", "reset", alice.pk, post="yes")

    assert site.get(f"{SITE}factorhistory/").status_code == 200
    assert len(factors_of(alice)) == 5


def test_the_permission_to_reset_is_enough_to_reset_and_no_more(alice: User, equipped: dict[str, Any]) -> None:
    site = staff("view_factorhistory", "reset_factors")

    assert site.get(f"{SITE}totpfactor/").status_code == 403
    act(site, "factorhistory", "reset", alice.pk, post="yes")

    assert factors_of(alice) == []


@pytest.mark.parametrize("page", ["add/", "{key}/delete/"])
def test_nothing_is_added_or_deleted_past_what_records_it(page: str, site: Browser, equipped: dict[str, Any]) -> None:
    for kind, row in equipped.items():
        if kind != "codes":
            assert site.get(f"{SITE}{kind}/{page.format(key=row.pk)}").status_code == 403


# Prefixes of numbers


def test_a_closed_prefix_is_opened_again(site: Browser, chief: User, recorded_events: list[Event]) -> None:
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


def test_whoever_may_only_look_opens_no_prefix(db: None) -> None:
    closed = SmsPrefix.objects.create(prefix="+99937")
    closed.close(pause=timezone.timedelta(hours=1))

    act(staff("view_smsprefix"), "smsprefix", "open_again", "+99937")

    closed.refresh_from_db()
    assert closed.is_closed


# From a shell


def reset(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reset_second_factors", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("named", ["alice", "public id"])
def test_the_command_resets_whom_it_names(
    named: str, alice: User, equipped: dict[str, Any], recorded_events: list[Event]
) -> None:
    subject = str(identity_of(alice).subject_id)

    told = reset(subject if named == "public id" else named, "--no-input", "--reason", "lost_everything")

    assert told == f"Took 5 second factors of {subject} away.\n"
    assert factors_of(alice) == []
    (event,) = [event for event in recorded_events if event.name is MfaEvent.FACTORS_RESET]
    assert (event.actor, event.reason) == (None, "lost_everything")


def test_the_command_asks_before(alice: User, equipped: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "no")

    with pytest.raises(CommandError, match="Nothing was taken away"):
        reset("alice")
    assert len(factors_of(alice)) == 5


def test_the_command_knows_nobody_else(db: None) -> None:
    with pytest.raises(CommandError, match="no such person"):
        reset("nobody", "--no-input")


@pytest.mark.parametrize("reason", ["Two words", "x" * 33, ""])
def test_a_reason_is_a_word(reason: str, alice: User) -> None:
    with pytest.raises(CommandError, match="one word"):
        reset("alice", "--no-input", f"--reason={reason}")


@pytest.mark.postgresql
@pytest.mark.parametrize("term", ["00000000-0000-0000-0000-000000000000", "nobody@example.org", "nobody"])
@pytest.mark.parametrize("model", [TotpFactor, WebauthnFactor, FactorHistory])
def test_an_index_serves_the_search(model: Any, term: str, db: None) -> None:
    request = RequestFactory().get("/")
    rows = model._default_manager.order_by("-pk")

    def search() -> None:
        found, _twice = admin.site.get_model_admin(model).get_search_results(request, rows, term)
        list(found[:100])

    assert unindexed(search) == []
