"""Fixtures for the tests of this app."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser

from administrators import browser_of_administrator
from auth_core.events import Event
from auth_core.oauth.grants.client_credentials import forget_counts
from auth_core.oauth.testing.document_site import HOST, DocumentSite
from auth_core.oauth.testing.factories import Registered, make_application
from auth_core.testing.certificates import self_signed
from auth_core.testing.factories import make_user
from document_clients import Described


@pytest.fixture
def events(db: None, recorded_events: list[Event]) -> list[Event]:
    """The recorded events in order."""
    return recorded_events


@pytest.fixture
def alice(db: None) -> Any:
    """A person."""
    return make_user("alice@example.org", display_name="Alice", locale="de")


@pytest.fixture
def web(db: None) -> Registered:
    """A confidential application."""
    return make_application()


@pytest.fixture
def native(db: None) -> Registered:
    """A public application."""
    return make_application(public=True)


@pytest.fixture
def service(db: None) -> Registered:
    """An application that acts for itself."""
    return make_application(grant="client-credentials")


@pytest.fixture
def administrator(db: None) -> Browser:
    """The browser of a superuser."""
    return browser_of_administrator()


@pytest.fixture(autouse=True)
def counts_at_rest() -> Iterator[None]:
    """Begin each test without counted tokens."""
    forget_counts()
    yield
    forget_counts()


@pytest.fixture(scope="session")
def document_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentSite]:
    """The site with documents of clients."""
    certificate = tmp_path_factory.mktemp("document_site") / "site.pem"
    certificate.write_bytes(self_signed(HOST))
    with DocumentSite(certificate) as running:
        yield running


@pytest.fixture
def site(document_site: DocumentSite, settings: Any) -> DocumentSite:
    """The site without documents. Every client may describe itself, and this service reaches the site."""
    document_site.clear()
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "CLIENT_DOCUMENTS": "all"}
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8", "::1/128"],
        "OUTBOUND_CA_FILE": str(document_site.certificate),
    }
    return document_site


@pytest.fixture
def agent(site: DocumentSite) -> Described:
    """A public client that describes itself."""
    return Described(site.describe())
