"""The pages that manage second factors and answer challenges."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import include, path
from django.utils import timezone

from auth_core.testing.browsers import log_in_on_page, text_of
from auth_core.testing.clock import Clock
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered, the_mail
from auth_core.testing.texts import code_in_text, the_text
from auth_mfa.cleanup import delete_abandoned
from auth_mfa.models import EmailFactor, FactorHistory, PhoneFactor, RecoveryCodeSet, TotpFactor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import NUMBER, add_mailbox, add_phone, add_recovery_codes, add_totp, current_code

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [
    path("account/second-factors/", include("auth_mfa.pages.urls")),
    path("", include("auth_core.pages.urls")),
]

LIST = "/account/second-factors/"
ANSWER = "/login/answer/"
WITH_TEXTS = pytest.mark.usefixtures("captured_texts")


def words_of(response: Any) -> str:
    """Return the text of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_of(response)))


def let_text_wait(settings: Any) -> None:
    """A budget of one text."""
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "BUDGETS": {"sms": {"number": (1, timedelta(hours=1))}},
    }


@pytest.fixture
def here(alice: User) -> Browser:
    """Alice's browser with a fresh password login."""
    browser = Browser()
    assert log_in_on_page(browser).headers["Location"] == "/account/"
    return browser


@pytest.fixture
def secured(alice: User) -> Browser:
    """Alice's browser with a fresh login by password and authenticator app."""
    add_totp(alice)
    browser = Browser()
    log_in_on_page(browser)
    assert browser.post(ANSWER, {"code": current_code(steps=-1)}).headers["Location"] == "/account/"
    return browser


# The list


@WITH_TEXTS
def test_the_list_describes_factors_without_numbers(secured: Browser, alice: User) -> None:
    add_phone(alice, name="Mine")
    add_mailbox(alice, name="Mail")
    Authenticator().added_to(alice)

    page = words_of(secured.get(LIST))

    for words in ("Authenticator app", "Text messages to •••• 67", "Email codes to a•••@example.org", "last used"):
        assert words in page
    assert "Passkey" in page
    assert "not used yet" in page
    assert NUMBER not in page
    assert "alice@example.org" not in page


def test_names_are_escaped_and_other_users_factors_are_not_listed(here: Browser, alice: User) -> None:
    add_totp(alice, name="<b>Phone</b>")
    add_totp(User.objects.create_user("bob", "bob@example.org", PASSWORD), name="Of bob")

    page = here.get(LIST).content.decode()

    assert "&lt;b&gt;Phone&lt;/b&gt;" in page
    assert "<b>Phone" not in page
    assert "Of bob" not in page


@WITH_TEXTS
@pytest.mark.asvs("6.6.1")
def test_choices_are_ordered_by_strength_and_name_weaknesses(here: Browser) -> None:
    page = words_of(here.get(LIST))

    positions = [
        page.index(label) for label in ("Add a passkey", "Add an authenticator app", "Add a phone", "Add email codes")
    ]
    assert positions == sorted(positions)
    assert "Text messages can be intercepted" in page
    assert "not for actions that need strong proof (AAL2)" in page
    assert "Only your password protects this account" in page


def test_methods_that_the_site_does_not_offer_are_no_choice(here: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"METHODS": ["totp"]}

    page = words_of(here.get(LIST))

    assert "Add an authenticator app" in page
    for label in ("Add a passkey", "Add a phone", "Add email codes", "ecovery codes"):
        assert label not in page


def test_texts_are_offered_only_with_a_gateway(here: Browser) -> None:
    assert "Add a phone" not in words_of(here.get(LIST))


def test_an_enrolled_mailbox_is_not_offered_again(here: Browser, alice: User) -> None:
    add_mailbox(alice)

    assert "Add email codes" not in words_of(here.get(LIST))


def test_required_users_see_their_deadline(here: Browser, alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "GRACE_PERIOD": timedelta(days=7)}
    grace = words_of(here.get(LIST))
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp"]}
    required = words_of(here.get(LIST))
    add_totp(alice)

    assert "without one until" in grace
    assert str((timezone.now() + timedelta(days=7)).year) in grace
    assert "Add one now" in required
    assert "It does not count as your required second factor" in required
    assert "You need a second factor" not in words_of(here.get(LIST))


def test_missing_and_few_recovery_codes_give_a_warning(secured: Browser, alice: User) -> None:
    none = words_of(secured.get(LIST))
    add_recovery_codes(alice)
    ten = words_of(secured.get(LIST))
    RecoveryCodeSet.objects.update(left=3)
    few = words_of(secured.get(LIST))

    assert "Create recovery codes" in none
    assert "You have 10 recovery codes left." in ten
    assert "running out" not in ten
    assert "You have 3 recovery codes left. You are running out" in few


# Phones and mailboxes


def begun(browser: Browser, address: str, **body: str) -> str:
    """Press the button that sends a code, and return the URL of the next page."""
    sent = browser.post(f"{LIST}{address}", body)
    assert sent.status_code == 303, text_of(sent)
    return str(sent.headers["Location"])


@WITH_TEXTS
def test_a_phone_is_added_with_its_code(here: Browser, alice: User) -> None:
    page = begun(here, "phone/add/", number="+41 79 123 45 67")
    challenged = words_of(here.get(page))
    code = code_in_text(the_text())
    wrong = here.post(page, {"code": f"{(int(code) + 1) % 10**6:06d}"})
    right = here.post(page, {"code": code})

    assert "We sent a code to •••• 67" in challenged
    assert (wrong.status_code, "This code is wrong" in text_of(wrong)) == (401, True)
    assert (right.status_code, right.headers["Location"]) == (303, LIST)
    assert PhoneFactor.objects.of(alice).get().number == NUMBER


@WITH_TEXTS
def test_a_resend_sends_the_same_code(here: Browser) -> None:
    page = begun(here, "phone/add/", number=NUMBER)
    first = code_in_text(the_text())

    again = here.post(page, {"resend": "1"})

    assert (again.status_code, again.headers["Location"]) == (303, page)
    assert code_in_text(the_text()) == first


@WITH_TEXTS
def test_the_page_says_if_no_new_code_was_sent(here: Browser, settings: Any) -> None:
    let_text_wait(settings)
    page = begun(here, "phone/add/", number=NUMBER)

    withheld = here.post(page, {"resend": "1"})
    another = begun(here, "phone/add/", number=NUMBER)

    assert withheld.status_code == 429
    assert "No new code was sent" in text_of(withheld)
    assert "It could not be sent" in text_of(here.get(another))
    assert "We sent a code to" not in text_of(here.get(another))


@WITH_TEXTS
@pytest.mark.parametrize(
    ("number", "error"),
    [("123", "Enter a mobile number"), ("+41900123456", "We cannot send text messages"), ("", "required")],
)
def test_a_refused_number_is_shown_beside_its_field(here: Browser, number: str, error: str) -> None:
    refused = here.post(f"{LIST}phone/add/", {"number": number})

    assert refused.status_code == 400
    assert 'aria-invalid="true"' in text_of(refused)
    assert error in text_of(refused)
    assert not PhoneFactor.objects.exists()


def test_a_mailbox_is_added_with_its_code(here: Browser, alice: User) -> None:
    lead = words_of(here.get(f"{LIST}email/add/"))
    page = begun(here, "email/add/")
    added = here.post(page, {"code": code_in(the_mail())})

    assert "never counts as strong proof (AAL2)" in lead
    assert added.headers["Location"] == LIST
    assert EmailFactor.objects.of(alice).exists()


def test_a_mailbox_cannot_be_added_twice(here: Browser, alice: User) -> None:
    page = begun(here, "email/add/")
    here.post(page, {"code": code_in(the_mail())})
    again = Browser()
    log_in_on_page(again)
    again.post(ANSWER, {"code": code_in([mail for mail in delivered() if "your code" in mail.subject][-1])})

    refused = again.post(f"{LIST}email/add/")

    assert (refused.status_code, "already added this one" in text_of(refused)) == (409, True)


# Recovery codes


def codes_on(page: Any) -> list[str]:
    return re.findall(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b", text_of(page))


CODES = f"{LIST}recovery-codes/"


def new_codes(browser: Browser) -> list[str]:
    """Press the button and follow the redirect to the new codes."""
    return codes_on(browser.post(CODES, follow=True))


def test_ten_codes_are_shown_once_in_a_response_that_is_not_stored(secured: Browser, alice: User) -> None:
    made = secured.post(CODES)
    shown = secured.get(CODES)

    assert (made.status_code, made.headers["Location"], codes_on(made)) == (303, CODES, [])
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
    assert len(set(codes_on(shown))) == 10
    for page in (LIST, CODES):
        assert codes_on(secured.get(page)) == []
    assert "You have 10 codes left" in words_of(secured.get(CODES))


def test_reloading_the_new_codes_creates_no_others(secured: Browser, alice: User) -> None:
    codes = new_codes(secured)
    kept = RecoveryCodeSet.objects.get()

    reloaded = secured.get(CODES)

    assert codes_on(reloaded) == []
    assert RecoveryCodeSet.objects.get() == kept
    browser = Browser()
    log_in_on_page(browser)
    browser.post("/login/choose/", {"choice": str(kept.pk)})
    assert browser.post(ANSWER, {"code": codes[0]}).headers.get("Location") == "/account/"


def test_shown_codes_are_not_in_the_database(secured: Browser, alice: User) -> None:
    secured.post(CODES)
    waiting = RecoveryCodeSet.objects.values().get()
    codes = codes_on(secured.get(CODES))

    assert waiting["unread"] is not None
    assert not [code for code in codes if code in str(waiting)]
    assert RecoveryCodeSet.objects.values_list("unread", "unread_in", "unread_until").get() == (None, None, None)


def test_another_session_does_not_show_new_codes(secured: Browser, alice: User) -> None:
    other = Browser()
    log_in_on_page(other)
    other.post(ANSWER, {"code": current_code(steps=0)})
    secured.post(CODES)

    assert codes_on(other.get(CODES)) == []
    assert len(codes_on(secured.get(CODES))) == 10


def test_a_head_request_does_not_use_up_the_new_codes(secured: Browser, alice: User) -> None:
    secured.post(CODES)

    assert secured.head(CODES).status_code == 200
    assert len(codes_on(secured.get(CODES))) == 10


def test_unread_codes_are_wiped(secured: Browser, alice: User, clock: Clock, settings: Any) -> None:
    settings.AUTH_MFA = {"PROOF_MAX_AGE": timedelta(hours=1)}
    secured.post(CODES)
    clock.forward(minutes=10, seconds=1)

    late = secured.get(CODES)
    delete_abandoned()

    assert codes_on(late) == []
    assert RecoveryCodeSet.objects.filter(unread=None, left=10).exists()


def test_new_codes_replace_the_old_ones(secured: Browser, alice: User) -> None:
    old = new_codes(secured)[0]
    new = new_codes(secured)[0]
    browser = Browser()
    log_in_on_page(browser)
    browser.post("/login/choose/", {"choice": str(RecoveryCodeSet.objects.get().pk)})

    refused = browser.post(ANSWER, {"code": old})
    granted = browser.post(ANSWER, {"code": new})

    assert (refused.status_code, granted.headers.get("Location")) == (401, "/account/")


def test_codes_are_not_created_without_a_factor(here: Browser) -> None:
    page = here.get(f"{LIST}recovery-codes/")
    refused = here.post(f"{LIST}recovery-codes/")

    assert "Add a second factor before you create recovery codes" in text_of(page)
    assert (refused.status_code, codes_on(refused)) == (409, [])


# Rename and remove


def test_a_factor_can_be_renamed(secured: Browser, alice: User) -> None:
    factor = TotpFactor.objects.get()
    before = text_of(secured.get(f"{LIST}{factor.pk}/name/"))

    named = secured.post(f"{LIST}{factor.pk}/name/", {"name": "The one in the drawer"})
    too_long = secured.post(f"{LIST}{factor.pk}/name/", {"name": "x" * 65})

    assert 'value="Phone"' in before
    assert named.headers["Location"] == LIST
    assert "The one in the drawer" in text_of(secured.get(LIST))
    assert too_long.status_code == 400


def test_removing_the_last_factor_announces_the_removal_of_the_codes(secured: Browser, alice: User) -> None:
    add_recovery_codes(alice)
    address = f"{LIST}{TotpFactor.objects.get().pk}/remove/"

    challenged = text_of(secured.get(address))
    removed = secured.post(address)

    assert "Phone (Authenticator app)." in challenged
    assert "Your recovery codes will be removed too" in challenged
    assert removed.headers["Location"] == LIST
    assert not RecoveryCodeSet.objects.exists()
    assert secured.get(address).status_code == 404


def test_a_required_last_factor_cannot_be_removed(secured: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}

    refused = secured.post(f"{LIST}{TotpFactor.objects.get().pk}/remove/")

    assert refused.status_code == 409
    assert "Nothing was removed. You still have Phone" in words_of(refused)
    assert "Add another one before you remove it" in words_of(refused)
    assert "Add a passkey or security key" in words_of(refused)
    assert TotpFactor.objects.filter(confirmed=True).exists()


# Access

GUARDED = ["add/", "phone/add/", "email/add/", "recovery-codes/", "{id}/remove/", "passkeys/add/"]


@pytest.mark.asvs("7.5.1")
@pytest.mark.parametrize("address", GUARDED)
def test_an_old_proof_redirects_to_a_fresh_one_and_back(address: str, secured: Browser, clock: Clock) -> None:
    page = LIST + address.format(id=TotpFactor.objects.get().pk)
    clock.forward(minutes=6)

    shown, pressed = secured.get(page), secured.post(page, {"number": NUMBER})

    for redirected in (shown, pressed):
        assert (redirected.status_code, redirected.headers["Location"].partition("?")[0]) == (303, "/login/again/")
        assert redirected.headers["Location"].endswith("&assurance=aal2")
    assert TotpFactor.objects.count() == 1


@WITH_TEXTS
@pytest.mark.asvs("6.4.4")
def test_a_user_who_lost_their_factor_proves_the_mailbox_before_adding_another(here: Browser, alice: User) -> None:
    FactorHistory.objects.note_factor(alice)

    redirected = here.get(f"{LIST}phone/add/").headers["Location"]
    here.post(redirected)
    here.post(ANSWER, {"password": PASSWORD})
    challenged = words_of(here.get(ANSWER))
    back = here.post(ANSWER, {"code": code_in(the_mail())})

    assert redirected.endswith("&assurance=second_factor")
    assert "We sent a code to a•••@example.org" in challenged
    assert back.headers["Location"] == f"{LIST}phone/add/"
    assert here.get(back.headers["Location"]).status_code == 200


ALL = ["", "{id}/confirm/", "{id}/code/", "{id}/name/", *GUARDED]


@pytest.mark.parametrize("address", ALL)
def test_an_anonymous_request_is_redirected_to_the_login(address: str, db: None) -> None:
    for method in ("get", "post"):
        sent = getattr(Browser(), method)(LIST + address.format(id=uuid4()))
        assert sent.headers["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("address", ["{id}/confirm/", "{id}/code/", "{id}/name/", "{id}/remove/"])
def test_other_users_factors_are_not_found(address: str, here: Browser) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", PASSWORD)
    begun_by_bob = PhoneFactor.objects.create(user=bob, name="Of bob", number=NUMBER)

    for factor_id in (add_totp(bob).pk, begun_by_bob.pk, uuid4()):
        page = LIST + address.format(id=factor_id)
        assert here.get(page).status_code == 404
        assert here.post(page, {"name": "mine", "code": "123456"}).status_code == 404
    assert here.post(f"{LIST}{begun_by_bob.pk}/code/", {"resend": "1"}).status_code == 404
    assert TotpFactor.objects.of(bob).get().name == "Phone"


def test_a_form_without_its_token_changes_nothing(alice: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    page = browser.get("/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    browser.post("/login/", {"identifier": "alice", "password": PASSWORD, "csrfmiddlewaretoken": token[1]})

    refused = browser.post(f"{LIST}email/add/")

    assert refused.status_code == 403
    assert not EmailFactor.objects.exists()


def test_a_session_without_facts_is_refused_with_a_message(alice: User) -> None:
    browser = Browser()
    browser.force_login(alice)

    assert browser.get(f"{LIST}add/").status_code == 401


# Login


@WITH_TEXTS
def test_a_login_shows_the_destination_and_resends_the_same_code(alice: User) -> None:
    phone, browser = add_phone(alice), Browser()
    log_in_on_page(browser)
    challenged = browser.get(ANSWER)
    first = code_in_text(the_text())

    again = browser.post("/login/choose/", {"choice": str(phone.pk)})
    second = code_in_text(the_text())
    granted = browser.post(ANSWER, {"code": second})

    assert "We sent a code to •••• 67" in words_of(challenged)
    assert "Resend code" in words_of(challenged)
    assert NUMBER not in text_of(challenged)
    assert (again.headers["Location"], second) == (ANSWER, first)
    assert granted.headers["Location"] == "/account/"


@WITH_TEXTS
def test_a_resend_in_a_login_shows_its_result(alice: User, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.messages.middleware.MessageMiddleware"]
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"sms": {"number": (2, timedelta(hours=1))}}}
    phone, browser = add_phone(alice), Browser()
    log_in_on_page(browser)

    browser.post("/login/choose/", {"choice": str(phone.pk)})
    sent = words_of(browser.get(ANSWER))
    browser.post("/login/choose/", {"choice": str(phone.pk)})
    withheld = words_of(browser.get(ANSWER))

    assert "The code was sent." in sent
    assert "No code was sent, because too many were requested." in withheld


@WITH_TEXTS
def test_a_login_says_if_no_code_was_sent(alice: User, settings: Any) -> None:
    let_text_wait(settings)
    add_phone(alice)
    log_in_on_page(Browser())
    browser = Browser()
    log_in_on_page(browser)

    page = words_of(browser.get(ANSWER))

    assert "There is no valid code" in page
    assert "We sent a code to" not in page
    assert "Send code" in page


@WITH_TEXTS
def test_the_challenge_of_an_app_mentions_no_sending(alice: User) -> None:
    add_totp(alice)
    add_phone(alice, name="Mine")
    browser = Browser()
    log_in_on_page(browser)

    page = words_of(browser.get(ANSWER))

    assert "Enter the code: Phone." in page
    assert "Send" not in page
    assert "Mine" in page


def test_a_recovery_code_signs_in_beside_other_choices(secured: Browser, alice: User) -> None:
    sheet = add_recovery_codes(alice)
    browser = Browser()
    log_in_on_page(browser)
    browser.post("/login/choose/", {"choice": str(sheet.factor.pk)})

    challenged = text_of(browser.get(ANSWER))
    malformed = browser.post(ANSWER, {"code": "123456"})
    wrong = browser.post(ANSWER, {"code": "0000-0000-0000-0000"})
    granted = browser.post(ANSWER, {"code": sheet.codes[0].lower().replace("-", " ")})

    assert "Enter a recovery code" in challenged
    assert 'autocomplete="off"' in challenged
    assert "Try another way" in challenged
    assert "Phone" in challenged
    assert (malformed.status_code, "four groups of four" in text_of(malformed)) == (400, True)
    assert (wrong.status_code, "This code is wrong" in text_of(wrong)) == (401, True)
    assert granted.headers["Location"] == "/account/"


def test_a_login_that_must_add_an_app_shows_its_key(alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp"]}
    browser = Browser()
    log_in_on_page(browser)
    browser.post(ANSWER, {"code": code_in(the_mail())})

    page = text_of(browser.get(ANSWER))
    wrong = browser.post(ANSWER, {"code": "000000"})
    key = TotpFactor.objects.get().key
    right = browser.post(ANSWER, {"code": current_code(key)})

    assert "data:image/svg+xml;base64," in page
    assert "<svg" not in page
    assert "Add an authenticator app" in page
    assert wrong.status_code == 401
    assert right.headers["Location"] == "/account/"
    assert TotpFactor.objects.of(alice).exists()


def test_an_expired_key_is_replaced(alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp"]}
    browser = Browser()
    log_in_on_page(browser)
    browser.post(ANSWER, {"code": code_in(the_mail())})
    TotpFactor.objects.all().delete()

    given_up = words_of(browser.get(ANSWER))
    browser.post("/login/choose/", {"choice": "totp"})

    assert "This key has expired" in given_up
    assert "Scan this" in words_of(browser.get(ANSWER))


@pytest.mark.parametrize("address", ["", "add/", "phone/add/", "email/add/", "recovery-codes/"])
def test_no_page_violates_the_content_security_policy(address: str, secured: Browser) -> None:
    page = secured.get(LIST + address).content.decode()

    assert "style=" not in page
    assert not re.search(r"\son\w+=", page)
    assert not re.search(r"<script(?![^>]*src=)", page)
