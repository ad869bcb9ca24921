"""The languages of the service: English, and those that every package has a catalogue for."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from django.conf.global_settings import LANGUAGES
from django.utils.translation import to_locale

#: The language of the source.
SOURCE_LANGUAGE = "en"

#: The packages whose text people read.
TRANSLATED = ("auth_core", "auth_mfa", "auth_rbac", "auth_sessions", "auth_audit", "enterprise_auth")


def offered_languages(packages: Iterable[str] = TRANSLATED) -> list[tuple[str, str]]:
    """Return codes and names for Django's ``LANGUAGES``.

    Django itself is translated into a hundred languages. A language that lacks one of our catalogues would give
    pages in two languages, with the errors of Django's forms in one and the rest in English.
    """
    folders = [_locale_folder(package) for package in packages]
    return [
        (code, name)
        for code, name in LANGUAGES
        if code == SOURCE_LANGUAGE or all(_has_catalogue(folder, code) for folder in folders)
    ]


def _locale_folder(package: str) -> Path:
    """Return where Django looks for the catalogues of *package*. Settings cannot import an app."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent / "locale"


def _has_catalogue(folder: Path, code: str) -> bool:
    return (folder / to_locale(code) / "LC_MESSAGES" / "django.mo").is_file()
