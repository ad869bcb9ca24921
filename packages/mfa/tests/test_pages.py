"""The pages on which people look after their second factors, and answer with them."""

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import include, path
from django.utils import timezone

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


def log_in(browser: Browser) -> Any:
    return browser.post("/login/", {"identifier": "alice", "password": PASSWORD})


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode())


def words_of(response: Any) -> str:
    """Return what people read of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_of(response)))


def let_text_wait(settings: Any) -> None:
    """Have the budget of texts used up after one."""
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "BUDGETS": {"sms": {"number": (1, timedelta(hours=1))}},
    }


@pytest.fixture
def here(alice: User) -> Browser:
    """The browser of alice, a moment after she gave her password."""
    browser = Browser()
    assert log_in(browser).headers["Location"] == "/account/"
    return browser


@pytest.fixture
def secured(alice: User) -> Browser:
    """The browser of alice, who has an authenticator app and has just given a code of it."""
    add_totp(alice)
    browser = Browser()
    log_in(browser)
    assert browser.post(ANSWER, {"code": current_code(steps=-1)}).headers["Location"] == "/account/"
    return browser


# The list


@WITH_TEXTS
def test_the_list_says_what_there_is_in_words_and_shows_no_number(secured: Browser, alice: User) -> None:
    add_phone(alice, name="Mine")
    add_mailbox(alice, name="Mail")
    Authenticator().added_to(alice)

    page = words_of(secured.get(LIST))

    for words in ("Authenticator app", "Text messages to •••• 67", "Codes by email to a•••@example.org", "last used"):
        assert words in page
    assert "Passkey" in page
    assert "not used yet" in page
    assert NUMBER not in page
    assert "alice@example.org" not in page


def test_names_are_text_and_nobody_else_s_are_listed(here: Browser, alice: User) -> None:
    add_totp(alice, name="<b>Phone</b>")
    add_totp(User.objects.create_user("bob", "bob@example.org", PASSWORD), name="Of bob")

    page = here.get(LIST).content.decode()

    assert "&lt;b&gt;Phone&lt;/b&gt;" in page
    assert "<b>Phone" not in page
    assert "Of bob" not in page


@WITH_TEXTS
@pytest.mark.asvs("6.6.1")
def test_what_can_be_added_stands_by_strength_and_says_what_is_weak(here: Browser) -> None:
    page = words_of(here.get(LIST))

    places = [
        page.index(label) for label in ("Add a passkey", "Add an authenticator app", "Add a telephone", "Add codes")
    ]
    assert places == sorted(places)
    assert "Texts can be intercepted" in page
    assert "never for what asks for a strong proof (AAL2)" in page
    assert "Your password alone opens this account" in page


def test_what_this_site_does_not_have_is_not_offered(here: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"METHODS": ["totp"]}

    page = words_of(here.get(LIST))

    assert "Add an authenticator app" in page
    for label in ("Add a passkey", "Add a telephone", "Add codes by email", "ecovery codes"):
        assert label not in page


def test_texts_are_offered_only_where_something_sends_them(here: Browser) -> None:
    assert "Add a telephone" not in words_of(here.get(LIST))


def test_a_mailbox_that_is_there_is_not_offered_again(here: Browser, alice: User) -> None:
    add_mailbox(alice)

    assert "Add codes by email" not in words_of(here.get(LIST))


def test_whoever_must_have_one_reads_until_when(here: Browser, alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "GRACE_PERIOD": timedelta(days=7)}
    grace = words_of(here.get(LIST))
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp"]}
    required = words_of(here.get(LIST))
    add_totp(alice)

    assert "Until" in grace
    assert str((timezone.now() + timedelta(days=7)).year) in grace
    assert "Add one now" in required
    assert "It does not count as the second factor" in required
    assert "You must have a second factor" not in words_of(here.get(LIST))


def test_whoever_has_no_recovery_codes_is_told_and_warned_when_they_run_out(secured: Browser, alice: User) -> None:
    none = words_of(secured.get(LIST))
    add_recovery_codes(alice)
    ten = words_of(secured.get(LIST))
    RecoveryCodeSet.objects.update(left=3)
    few = words_of(secured.get(LIST))

    assert "Make recovery codes" in none
    assert "You have 10 recovery codes left." in ten
    assert "running out" not in ten
    assert "You have 3 recovery codes left. They are running out" in few


# Telephones and mailboxes


def begun(browser: Browser, address: str, **body: str) -> str:
    """Press the button that sends a code; return where it is entered."""
    sent = browser.post(f"{LIST}{address}", body)
    assert sent.status_code == 303, text_of(sent)
    return str(sent.headers["Location"])


@WITH_TEXTS
def test_a_telephone_is_added_with_the_code_that_came(here: Browser, alice: User) -> None:
    place = begun(here, "phone/add/", number="+41 79 123 45 67")
    asked = words_of(here.get(place))
    code = code_in_text(the_text())
    wrong = here.post(place, {"code": f"{(int(code) + 1) % 10**6:06d}"})
    right = here.post(place, {"code": code})

    assert "A code was sent to •••• 67" in asked
    assert (wrong.status_code, "This code is wrong" in text_of(wrong)) == (401, True)
    assert (right.status_code, right.headers["Location"]) == (303, LIST)
    assert PhoneFactor.objects.of(alice).get().number == NUMBER


@WITH_TEXTS
def test_sent_again_is_the_same_code(here: Browser) -> None:
    place = begun(here, "phone/add/", number=NUMBER)
    first = code_in_text(the_text())

    again = here.post(place, {"resend": "1"})

    assert (again.status_code, again.headers["Location"]) == (303, place)
    assert code_in_text(the_text()) == first


@WITH_TEXTS
def test_the_page_says_so_when_no_other_code_was_sent(here: Browser, settings: Any) -> None:
    let_text_wait(settings)
    place = begun(here, "phone/add/", number=NUMBER)

    withheld = here.post(place, {"resend": "1"})
    another = begun(here, "phone/add/", number=NUMBER)

    assert withheld.status_code == 429
    assert "No other code was sent" in text_of(withheld)
    assert "none could be sent" in text_of(here.get(another))
    assert "was sent to" not in text_of(here.get(another))


@WITH_TEXTS
@pytest.mark.parametrize(
    ("number", "told"),
    [("123", "Enter a mobile number"), ("+41900123456", "No text can be sent"), ("", "required")],
)
def test_a_number_that_gets_no_texts_is_refused_beside_its_field(here: Browser, number: str, told: str) -> None:
    refused = here.post(f"{LIST}phone/add/", {"number": number})

    assert refused.status_code == 400
    assert 'aria-invalid="true"' in text_of(refused)
    assert told in text_of(refused)
    assert not PhoneFactor.objects.exists()


def test_a_mailbox_is_added_with_the_code_that_came(here: Browser, alice: User) -> None:
    lead = words_of(here.get(f"{LIST}email/add/"))
    place = begun(here, "email/add/")
    added = here.post(place, {"code": code_in(the_mail())})

    assert "never counts as a strong proof (AAL2)" in lead
    assert added.headers["Location"] == LIST
    assert EmailFactor.objects.of(alice).exists()


def test_the_same_mailbox_is_not_added_twice(here: Browser, alice: User) -> None:
    place = begun(here, "email/add/")
    here.post(place, {"code": code_in(the_mail())})
    again = Browser()
    log_in(again)
    again.post(ANSWER, {"code": code_in([mail for mail in delivered() if "your code" in mail.subject][-1])})

    refused = again.post(f"{LIST}email/add/")

    assert (refused.status_code, "this one already" in text_of(refused)) == (409, True)


# Recovery codes


def codes_on(page: Any) -> list[str]:
    return re.findall(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b", text_of(page))


CODES = f"{LIST}recovery-codes/"


def new_codes(browser: Browser) -> list[str]:
    """Press the button, and follow to the page that shows the codes."""
    return codes_on(browser.post(CODES, follow=True))


def test_ten_codes_are_shown_once_in_an_answer_that_nothing_keeps(secured: Browser, alice: User) -> None:
    made = secured.post(CODES)
    shown = secured.get(CODES)

    assert (made.status_code, made.headers["Location"], codes_on(made)) == (303, CODES, [])
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
    assert len(set(codes_on(shown))) == 10
    for page in (LIST, CODES):
        assert codes_on(secured.get(page)) == []
    assert "You have 10 codes left" in words_of(secured.get(CODES))


def test_reloading_the_new_codes_makes_no_others(secured: Browser, alice: User) -> None:
    codes = new_codes(secured)
    kept = RecoveryCodeSet.objects.get()

    reloaded = secured.get(CODES)

    assert codes_on(reloaded) == []
    assert RecoveryCodeSet.objects.get() == kept
    browser = Browser()
    log_in(browser)
    browser.post("/login/choose/", {"choice": str(kept.pk)})
    assert browser.post(ANSWER, {"code": codes[0]}).headers.get("Location") == "/account/"


def test_codes_that_were_shown_are_nowhere_in_the_database(secured: Browser, alice: User) -> None:
    secured.post(CODES)
    waiting = RecoveryCodeSet.objects.values().get()
    codes = codes_on(secured.get(CODES))

    assert waiting["unread"] is not None
    assert not [code for code in codes if code in str(waiting)]
    assert RecoveryCodeSet.objects.values_list("unread", "unread_in", "unread_until").get() == (None, None, None)


def test_another_session_does_not_show_them(secured: Browser, alice: User) -> None:
    other = Browser()
    log_in(other)
    other.post(ANSWER, {"code": current_code(steps=0)})
    secured.post(CODES)

    assert codes_on(other.get(CODES)) == []
    assert len(codes_on(secured.get(CODES))) == 10


def test_a_request_for_the_headers_leaves_the_codes_to_be_shown(secured: Browser, alice: User) -> None:
    secured.post(CODES)

    assert secured.head(CODES).status_code == 200
    assert len(codes_on(secured.get(CODES))) == 10


def test_codes_that_nobody_has_seen_are_wiped(secured: Browser, alice: User, clock: Clock, settings: Any) -> None:
    settings.AUTH_MFA = {"PROOF_MAX_AGE": timedelta(hours=1)}
    secured.post(CODES)
    clock.forward(minutes=10, seconds=1)

    late = secured.get(CODES)
    delete_abandoned()

    assert codes_on(late) == []
    assert RecoveryCodeSet.objects.filter(unread=None, left=10).exists()


def test_new_codes_take_the_place_of_the_old(secured: Browser, alice: User) -> None:
    old = new_codes(secured)[0]
    new = new_codes(secured)[0]
    browser = Browser()
    log_in(browser)
    browser.post("/login/choose/", {"choice": str(RecoveryCodeSet.objects.get().pk)})

    refused = browser.post(ANSWER, {"code": old})
    granted = browser.post(ANSWER, {"code": new})

    assert (refused.status_code, granted.headers.get("Location")) == (401, "/account/")


def test_codes_stand_in_for_a_factor_and_are_not_made_without_one(here: Browser) -> None:
    page = here.get(f"{LIST}recovery-codes/")
    refused = here.post(f"{LIST}recovery-codes/")

    assert "Add one first" in text_of(page)
    assert (refused.status_code, codes_on(refused)) == (409, [])


# Names, and the end


def test_a_factor_is_called_something_else(secured: Browser, alice: User) -> None:
    factor = TotpFactor.objects.get()
    before = text_of(secured.get(f"{LIST}{factor.pk}/name/"))

    named = secured.post(f"{LIST}{factor.pk}/name/", {"name": "The one in the drawer"})
    too_long = secured.post(f"{LIST}{factor.pk}/name/", {"name": "x" * 65})

    assert 'value="Phone"' in before
    assert named.headers["Location"] == LIST
    assert "The one in the drawer" in text_of(secured.get(LIST))
    assert too_long.status_code == 400


def test_the_last_one_takes_the_recovery_codes_along_and_says_so_before(secured: Browser, alice: User) -> None:
    add_recovery_codes(alice)
    address = f"{LIST}{TotpFactor.objects.get().pk}/remove/"

    asked = text_of(secured.get(address))
    removed = secured.post(address)

    assert "Phone (Authenticator app)." in asked
    assert "Your recovery codes go with it" in asked
    assert removed.headers["Location"] == LIST
    assert not RecoveryCodeSet.objects.exists()
    assert secured.get(address).status_code == 404


def test_the_last_one_of_somebody_who_must_have_one_stays(secured: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}

    refused = secured.post(f"{LIST}{TotpFactor.objects.get().pk}/remove/")

    assert refused.status_code == 409
    assert "Nothing was removed: you still have Phone" in words_of(refused)
    assert "Add another one before you remove this" in words_of(refused)
    assert "Add a passkey or security key" in words_of(refused)
    assert TotpFactor.objects.filter(confirmed=True).exists()


# Who may come here

GUARDED = ["add/", "phone/add/", "email/add/", "recovery-codes/", "{id}/remove/", "passkeys/add/"]


@pytest.mark.asvs("7.5.1")
@pytest.mark.parametrize("address", GUARDED)
def test_an_old_proof_leads_to_a_new_one_and_back(address: str, secured: Browser, clock: Clock) -> None:
    page = LIST + address.format(id=TotpFactor.objects.get().pk)
    clock.forward(minutes=6)

    seen, pressed = secured.get(page), secured.post(page, {"number": NUMBER})

    for led in (seen, pressed):
        assert (led.status_code, led.headers["Location"].partition("?")[0]) == (303, "/login/again/")
        assert led.headers["Location"].endswith("&assurance=aal2")
    assert TotpFactor.objects.count() == 1


@WITH_TEXTS
@pytest.mark.asvs("6.4.4")
def test_whoever_lost_their_factor_proves_the_mailbox_before_adding_another(here: Browser, alice: User) -> None:
    FactorHistory.objects.note_factor(alice)

    led = here.get(f"{LIST}phone/add/").headers["Location"]
    here.post(led)
    here.post(ANSWER, {"password": PASSWORD})
    asked = words_of(here.get(ANSWER))
    back = here.post(ANSWER, {"code": code_in(the_mail())})

    assert led.endswith("&assurance=second_factor")
    assert "was sent to a•••@example.org" in asked
    assert back.headers["Location"] == f"{LIST}phone/add/"
    assert here.get(back.headers["Location"]).status_code == 200


ALL = ["", "{id}/confirm/", "{id}/code/", "{id}/name/", *GUARDED]


@pytest.mark.parametrize("address", ALL)
def test_nobody_is_sent_to_the_login(address: str, db: None) -> None:
    for method in ("get", "post"):
        sent = getattr(Browser(), method)(LIST + address.format(id=uuid4()))
        assert sent.headers["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("address", ["{id}/confirm/", "{id}/code/", "{id}/name/", "{id}/remove/"])
def test_what_is_somebody_else_s_is_not_found(address: str, here: Browser) -> None:
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


def test_a_session_that_says_nothing_of_its_proof_is_told_so(alice: User) -> None:
    browser = Browser()
    browser.force_login(alice)

    assert browser.get(f"{LIST}add/").status_code == 401


# In a login


@WITH_TEXTS
def test_a_login_says_where_the_code_went_and_sends_the_same_again(alice: User) -> None:
    phone, browser = add_phone(alice), Browser()
    log_in(browser)
    asked = browser.get(ANSWER)
    first = code_in_text(the_text())

    again = browser.post("/login/choose/", {"choice": str(phone.pk)})
    second = code_in_text(the_text())
    granted = browser.post(ANSWER, {"code": second})

    assert "was sent to •••• 67" in words_of(asked)
    assert "Send it again" in words_of(asked)
    assert NUMBER not in text_of(asked)
    assert (again.headers["Location"], second) == (ANSWER, first)
    assert granted.headers["Location"] == "/account/"


@WITH_TEXTS
def test_whoever_has_a_code_sent_again_is_told_what_became_of_it(alice: User, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.messages.middleware.MessageMiddleware"]
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"sms": {"number": (2, timedelta(hours=1))}}}
    phone, browser = add_phone(alice), Browser()
    log_in(browser)

    browser.post("/login/choose/", {"choice": str(phone.pk)})
    sent = words_of(browser.get(ANSWER))
    browser.post("/login/choose/", {"choice": str(phone.pk)})
    withheld = words_of(browser.get(ANSWER))

    assert "The code was sent." in sent
    assert "No code was sent, because too many were requested." in withheld


@WITH_TEXTS
def test_a_login_says_so_when_no_code_was_sent(alice: User, settings: Any) -> None:
    let_text_wait(settings)
    add_phone(alice)
    log_in(Browser())
    browser = Browser()
    log_in(browser)

    page = words_of(browser.get(ANSWER))

    assert "There is no code that you could enter" in page
    assert "was sent to" not in page
    assert "Send a code" in page


@WITH_TEXTS
def test_an_app_is_asked_without_a_word_about_sending(alice: User) -> None:
    add_totp(alice)
    add_phone(alice, name="Mine")
    browser = Browser()
    log_in(browser)

    page = words_of(browser.get(ANSWER))

    assert "Enter the code: Phone." in page
    assert "Send" not in page
    assert "Mine" in page


def test_a_recovery_code_opens_a_login_and_leaves_the_other_ways_open(secured: Browser, alice: User) -> None:
    sheet = add_recovery_codes(alice)
    browser = Browser()
    log_in(browser)
    browser.post("/login/choose/", {"choice": str(sheet.factor.pk)})

    asked = text_of(browser.get(ANSWER))
    malformed = browser.post(ANSWER, {"code": "123456"})
    wrong = browser.post(ANSWER, {"code": "0000-0000-0000-0000"})
    granted = browser.post(ANSWER, {"code": sheet.codes[0].lower().replace("-", " ")})

    assert "Enter a recovery code" in asked
    assert 'autocomplete="off"' in asked
    assert "Try another way" in asked
    assert "Phone" in asked
    assert (malformed.status_code, "four groups of four" in text_of(malformed)) == (400, True)
    assert (wrong.status_code, "This code is wrong" in text_of(wrong)) == (401, True)
    assert granted.headers["Location"] == "/account/"


def test_a_login_that_must_add_an_app_shows_its_key(alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp"]}
    browser = Browser()
    log_in(browser)
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


def test_a_key_that_was_given_up_is_shown_anew(alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp"]}
    browser = Browser()
    log_in(browser)
    browser.post(ANSWER, {"code": code_in(the_mail())})
    TotpFactor.objects.all().delete()

    given_up = words_of(browser.get(ANSWER))
    browser.post("/login/choose/", {"choice": "totp"})

    assert "worth nothing any more" in given_up
    assert "Scan this" in words_of(browser.get(ANSWER))


@pytest.mark.parametrize("address", ["", "add/", "phone/add/", "email/add/", "recovery-codes/"])
def test_no_page_needs_what_the_policy_forbids(address: str, secured: Browser) -> None:
    page = secured.get(LIST + address).content.decode()

    assert "style=" not in page
    assert not re.search(r"\son\w+=", page)
    assert not re.search(r"<script(?![^>]*src=)", page)
