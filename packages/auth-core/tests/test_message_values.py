"""Mails and text messages contain no text that strangers choose."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client as Browser

from auth_core.assurance.methods import Method
from auth_core.messages import outbox, sms
from auth_core.messages.notify import notify
from auth_core.messages.values import closed, method_name, person_name
from auth_core.request.client import Client
from auth_core.request.user_agents import device_name
from auth_core.testing.browsers import logged_in, post
from auth_core.testing.hostile import HOSTILE, MARKS, marks_in_mail, not_closed, printed_by, templates_in
from auth_core.testing.mails import the_mail

pytestmark = pytest.mark.django_db

MAILS = templates_in("auth_core/mail", "auth_core")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"


@pytest.fixture
def planted(settings: Any) -> None:
    """Templates that print the user agent and a name."""
    texts = {
        "auth_core/mail/planted.txt": 'Subject\n{% include "auth_core/mail/_planted.txt" %}',
        "auth_core/mail/_planted.txt": "Device: {{ user_agent }} {{ device }}",
    }
    loaders = [
        ("django.template.loaders.locmem.Loader", texts),
        "django.template.loaders.app_directories.Loader",
    ]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    ]


def test_all_mail_templates_are_tested() -> None:
    assert {"password_forgot", "invitation", "signup_confirm", "factor_added"} <= set(MAILS)


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_prints_only_sanitised_values(template: str) -> None:
    assert not_closed(f"auth_core/mail/{template}.txt") == set()


@pytest.mark.parametrize("template", templates_in("auth_core/sms", "auth_core"))
def test_a_text_prints_only_sanitised_values(template: str) -> None:
    assert not_closed(f"auth_core/sms/{template}.txt") == set()


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_contains_no_hostile_value(template: str) -> None:
    assert marks_in_mail(template) == []


def test_a_template_that_prints_the_user_agent_is_caught(planted: None) -> None:
    assert printed_by("auth_core/mail/planted.txt") == {"user_agent", "device"}
    assert not_closed("auth_core/mail/planted.txt") == {"user_agent"}


def test_a_template_gets_no_user_agent(planted: None) -> None:
    assert marks_in_mail("planted") == []


def test_hostile_text_in_a_mail_would_be_caught(monkeypatch: pytest.MonkeyPatch, planted: None) -> None:
    monkeypatch.setattr("auth_core.messages.email.closed", lambda values: values)

    assert {"BROKEN", "//evil", "@evil", "123 45 67", "\u202e", "&lt;b"} <= set(marks_in_mail("planted"))


def test_a_reset_mail_does_not_contain_the_user_agent(alice: Any, browser: Browser) -> None:
    browser.defaults["HTTP_USER_AGENT"] = f"{FIREFOX} {HOSTILE}"

    post(browser, "password/forgot", email="alice@example.org")

    message = the_mail()
    assert "Device: Firefox, Linux" in message.body
    assert not any(mark in message.body + message.alternatives[0][0] for mark in MARKS)


def test_an_unlisted_browser_is_not_named(alice: Any, browser: Browser) -> None:
    browser.defaults["HTTP_USER_AGENT"] = HOSTILE

    post(browser, "password/forgot", email="alice@example.org")

    assert "With:" not in the_mail().body


def test_an_invitation_names_the_inviter_without_links(alice: Any) -> None:
    alice.user_permissions.set(Permission.objects.filter(content_type__model="invitation"))
    alice.display_name = "Alice https://evil.example \u202e mallory@evil.example 0800 12 34"
    alice.save()
    host = logged_in()

    post(host, "invitations", email="bob@example.org")

    assert "Alice https evil example mallory evil example invited you to auth.example.org." in the_mail().body


def test_a_text_message_contains_no_hostile_value(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": "memory"}
    sms.MemoryBackend.sent.clear()
    with transaction.atomic():
        sms.post_text(template="code", number="+41791234567", values={"name": HOSTILE}, secret={"code": HOSTILE})

    outbox.deliver_due()

    (text,) = sms.MemoryBackend.sent
    assert not any(mark in text.body for mark in MARKS)


def test_links_and_codes_are_not_changed() -> None:
    shown = closed({"link": "https://auth.example.org/a/b_c-D/", "code": "123456", "ip": "2001:DB8::1", "left": 3})

    assert shown["link"] == "https://auth.example.org/a/b_c-D/"
    assert (shown["code"], shown["ip"], shown["left"]) == ("123456", "2001:db8::1", 3)


def test_an_invalid_ip_address_is_not_shown(db: None) -> None:
    with transaction.atomic():
        notify(template="email_verify", address="alice@example.org", client=Client(ip="evil.example"))

    assert "From: ?" in the_mail().body


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Alice B. Example", "Alice B. Example"),
        ("Jos\u00e9 O\u2019Neill-M\u00fcller", "Jos\u00e9 O\u2019Neill-M\u00fcller"),
        ("\u5c71\u7530 \u592a\u90ce", "\u5c71\u7530 \u592a\u90ce"),
        ("evil.example", "evil example"),
        ("evil\u3002example", "evil example"),
        ("evil\uff0eexample/path?x=1", "evil example path x"),
        ("a@b.example", "a b example"),
        ("call 0800 123 456", "call"),
        ("a\r\nBcc: x\x00\u202eb", "a Bcc x b"),
        ("x" * 1000, "x" * 60),
        ("", ""),
    ],
)
def test_a_name_is_bounded_and_contains_no_link(name: str, shown: str) -> None:
    assert person_name(name) == shown


@pytest.mark.parametrize("text", [HOSTILE, "", "totp\n", *(method.value for method in Method if "_" in method.value)])
def test_a_kind_of_factor_is_named_from_a_list(text: str) -> None:
    assert method_name(text) in {"", "text messages", "codes by email", "security key", "recovery codes"}


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605 Version/17.5 Safari/605", "Safari, macOS"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537 Chrome/126.0 Mobile Safari/537", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) CriOS/126 Mobile Safari/604", "Chrome, iOS"),
        ("curl/8.5.0", "curl"),
        ("x" * 10_000 + "Firefox/1", ""),
        ("", ""),
    ],
)
def test_browsers_and_systems_are_named_from_a_list(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
