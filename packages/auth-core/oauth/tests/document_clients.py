"""A client that describes itself, and the browser of a person who comes from it."""

from dataclasses import dataclass
from typing import Any

from django.test import Client as Browser
from oauth2_provider.models import get_application_model

from auth_core.oauth.clients.registry import find_application
from auth_core.oauth.models import AuthorizationRequest, ClientDocument
from auth_core.oauth.testing.document_site import CALLBACK
from auth_core.oauth.testing.factories import VERIFIER, post_form
from people import answer_in, asked, decide, follow


@dataclass(frozen=True)
class Described:
    """A client that is known by its id alone."""

    client_id: str

    @property
    def registered(self) -> Any:
        """The application as the endpoints read it, or ``None``."""
        return find_application(self.client_id)

    def come(self, browser: Browser, **parameters: Any) -> Any:
        """Send the browser to the authorization endpoint, and return the page of the stored request."""
        return follow(browser, self.ask(browser, **parameters))

    def ask(self, browser: Browser, **parameters: Any) -> Any:
        """Send the browser to the authorization endpoint."""
        return browser.get("/oauth/authorize", asked(self, **{"redirect_uri": CALLBACK, **parameters}))  # type: ignore[arg-type]  # it has an id

    def allow(self, browser: Browser, **parameters: Any) -> dict[str, str]:
        """Send the browser to the authorization endpoint, consent, and return what the client gets."""
        address = parameters.get("redirect_uri", CALLBACK)
        return answer_in(decide(browser, self.come(browser, **parameters)), address)

    def exchange(self, code: str, **parameters: Any) -> Any:
        """Exchange a code, and return the response."""
        fields = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "code_verifier": VERIFIER,
        }
        return post_form("/oauth/token", {**fields, **parameters})

    def refresh(self, token: str) -> Any:
        """Refresh a token, and return the response."""
        fields = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token}
        return post_form("/oauth/token", fields)


def stored() -> tuple[int, int, int]:
    """Return how many applications, documents and answered requests there are."""
    answered = AuthorizationRequest.objects.exclude(completed_at=None)
    return get_application_model().objects.count(), ClientDocument.objects.count(), answered.count()
