"""Only languages with a catalogue of every package are offered, so that no page is in two languages."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client as Browser

from enterprise_auth.core.languages import TRANSLATED, offered_languages

pytestmark = pytest.mark.django_db

#: Words of Django's own forms and pages in German and Arabic.
FOREIGN = ("Dieses Feld", "erforderlich", "هذا الحقل")


@pytest.mark.parametrize("language", ["de", "de-CH,de;q=0.9", "ar", "he,ar;q=0.8"])
@pytest.mark.parametrize("address", ["/login/", "/signup/", "/password/forgot/"])
def test_a_browser_in_a_language_without_a_catalogue_gets_a_whole_english_page(address: str, language: str) -> None:
    page = Browser(headers={"Accept-Language": language}).post(address, {})
    text = page.content.decode()

    assert '<html lang="en" dir="ltr">' in text
    assert page.headers["Content-Language"] == "en"
    assert "This field is required." in text
    assert not [word for word in FOREIGN if word in text]


def test_an_error_of_the_api_is_english_too() -> None:
    refused = Browser(headers={"Accept-Language": "de"}).post("/api/v1/login/", {}, content_type="application/json")

    assert refused.headers["Content-Language"] == "en"


def test_the_offered_languages_are_those_with_catalogues() -> None:
    assert offered_languages() == settings.LANGUAGES
    assert ("en", "English") in settings.LANGUAGES


def test_a_language_is_offered_once_every_package_has_its_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("first_app", "second_app"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    add_catalogue(tmp_path / "first_app", "de")
    add_catalogue(tmp_path / "first_app", "pt_BR")
    add_catalogue(tmp_path / "second_app", "pt_BR")

    offered = dict(offered_languages(["first_app", "second_app"]))

    assert sorted(offered) == ["en", "pt-br"]


def test_every_app_of_ours_is_asked_for_its_catalogue() -> None:
    ours = {name.partition(".")[0] for name in settings.INSTALLED_APPS if name.startswith(("auth_", "enterprise_"))}

    assert set(TRANSLATED) == ours


def add_catalogue(package: Path, locale: str) -> None:
    folder = package / "locale" / locale / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(b"\xde\x12\x04\x95" + bytes(24))
