"""A site with Django's own login and our middleware, and helpers for its users and browsers."""

from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.testing.factories import PASSWORD
from auth_mfa.testing.factors import add_totp, current_code

OURS = "auth_mfa.site_login.middleware.SecondFactorMiddleware"
DJANGOS = "django.contrib.auth.middleware.AuthenticationMiddleware"
LOGIN = "/accounts/login/"
PROVE = "/account/second-factors/prove/"


@pytest.fixture
def partial_login_site(settings: Any, db: None) -> None:
    """A site with Django's own login and admin, and our middleware after Django's."""
    settings.ROOT_URLCONF = "partial_login_urls"
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    settings.INSTALLED_APPS = [*site.INSTALLED_APPS, "django.contrib.messages", "django.contrib.staticfiles"]
    if "django.contrib.admin" not in settings.INSTALLED_APPS:
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.admin"]
    settings.MIDDLEWARE = [*site.MIDDLEWARE, OURS, "django.contrib.messages.middleware.MessageMiddleware"]
    settings.STATIC_URL = "/static/"
    settings.LOGIN_REDIRECT_URL = "/undecorated/"
    processors = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
    processors += ["django.contrib.messages.context_processors.messages"]
    loaders = [
        ("django.template.loaders.locmem.Loader", {"login.html": "{{ form }}"}),
        "django.template.loaders.app_directories.Loader",
    ]
    engine = "django.template.backends.django.DjangoTemplates"
    settings.TEMPLATES = [{"BACKEND": engine, "OPTIONS": {"context_processors": processors, "loaders": loaders}}]


@pytest.fixture
def secured(alice: User) -> User:
    """Alice with an authenticator app."""
    add_totp(alice)
    return alice


def give_password(browser: Browser, name: str = "alice", *, page: str = LOGIN, onward: str = "") -> Any:
    query = {"next": onward} if onward else {}
    return browser.post(f"{page}", {"username": name, "password": PASSWORD, **query})


def prove(browser: Browser, address: str = PROVE, *, steps: int = 0) -> Any:
    """Press the button and enter the code. Return the last response."""
    begun = browser.post(address)
    assert (begun.status_code, begun["Location"]) == (303, "/auth/login/answer/")
    return browser.post(begun["Location"], {"code": current_code(steps=steps)})


def who(browser: Browser, address: str = "/undecorated/") -> Any:
    return browser.get(address).json()["user"]
