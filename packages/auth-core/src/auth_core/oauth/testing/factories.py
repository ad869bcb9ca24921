"""Applications, authorizations and requests for tests."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_application_model

from auth_core.assurance.evidence import Evidence, Method, SessionFacts
from auth_core.contracts import Transport
from auth_core.crypto.secrets import digest
from auth_core.ids import uuid7
from auth_core.oauth.clients.registry import RegisteredApplication, find_application
from auth_core.oauth.grants.code import issue_code, s256
from auth_core.oauth.models import ApplicationPolicy, AuthorizationRequest
from auth_core.request.client import Client

REDIRECT_URI = "https://rp.example/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters"


@dataclass
class Registered:
    """An application with its secret.

    Args:
        row: The row of django-oauth-toolkit.
        secret: Empty for a public application.
    """

    row: Any
    secret: str = field(repr=False)

    @property
    def client_id(self) -> str:
        """The id that requests send."""
        return str(self.row.client_id)

    @property
    def policy(self) -> ApplicationPolicy:
        """Its policy."""
        return ApplicationPolicy.objects.get(application=self.row)

    @property
    def registered(self) -> RegisteredApplication:
        """The application as the endpoints read it."""
        found = find_application(self.client_id)
        assert found is not None
        return found

    def credentials(self) -> dict[str, str]:
        """Return what authenticates a request, besides the id."""
        return {"client_secret": self.secret} if self.secret else {}

    def post(self, path: str, browser: Browser | None = None, *, proof: str = "", **parameters: Any) -> Any:
        """Post a form as this application: with its credentials in the body, or with its id alone.

        Args:
            proof: The header ``DPoP``. Empty: none.
        """
        body = {"client_id": self.client_id, **self.credentials(), **parameters}
        return post_form(path, body, browser, **({"HTTP_DPOP": proof} if proof else {}))


def post_form(path: str, body: Any, browser: Browser | None = None, **headers: Any) -> Any:
    """Post *body*, which is a mapping or a query string, as a form."""
    data = body if isinstance(body, str) else _encoded(body)
    return (browser or Browser()).post(path, data, content_type="application/x-www-form-urlencoded", **headers)


def make_application(*, public: bool = False, grant: str = "authorization-code", **columns: Any) -> Registered:
    """Create an application.

    Args:
        public: Whether it has no secret.
        grant: The grant type of django-oauth-toolkit.
        columns: Columns of the policy, and of the application.
    """
    model = get_application_model()
    own = {name: columns.pop(name) for name in list(columns) if name in {each.name for each in model._meta.fields}}
    secret = "" if public else secrets.token_hex(24)
    row = model.objects.create(
        **{
            "name": "Example",
            "redirect_uris": REDIRECT_URI,
            "client_type": "public" if public else "confidential",
            "authorization_grant_type": grant,
            "client_secret": secret,
            "hash_client_secret": not public,
            **own,
        }
    )
    if columns:
        ApplicationPolicy.objects.filter(application=row).update(**columns)
    return Registered(row=row, secret=secret)


def session_facts(**values: Any) -> SessionFacts:
    """Return the facts of a session with a password and a one-time code."""
    evidence = (Evidence.now(Method.PASSWORD), Evidence.now(Method.TOTP))
    moment = timezone.now()
    return SessionFacts(
        **{
            "id": uuid7(),
            "transport": Transport.COOKIE.value,
            "evidence": evidence,
            "authenticated_at": moment,
            "expires_at": moment + timedelta(hours=8),
            **values,
        }
    )


def make_code(
    application: Registered,
    user: Any,
    *,
    scopes: Sequence[str] = ("openid", "profile", "email"),
    resources: Sequence[str] = (),
    session: SessionFacts | None = None,
    claims: dict[str, Any] | None = None,
    authorization_details: Sequence[dict[str, Any]] = (),
    **parameters: str,
) -> str:
    """Return a code that *user* gave to *application*."""
    request = AuthorizationRequest.objects.create(
        handle_digest=digest(secrets.token_hex(8)),
        application=application.row,
        parameters={"redirect_uri": REDIRECT_URI, "code_challenge": s256(VERIFIER), "nonce": "n-1", **parameters},
        expires_at=timezone.now() + timedelta(minutes=10),
    )
    return issue_code(
        request,
        application=application.registered,
        user=user,
        session=session or session_facts(),
        scopes=scopes,
        resources=resources,
        claims=claims or {},
        authorization_details=authorization_details,
        client=Client(),
    )


def exchange(application: Registered, code: str, browser: Browser | None = None, **parameters: Any) -> Any:
    """Exchange *code* at the token endpoint, and return the response."""
    fields = {"code": code, "code_verifier": VERIFIER, "redirect_uri": REDIRECT_URI, **parameters}
    return application.post("/oauth/token", browser, grant_type="authorization_code", **fields)


def make_tokens(application: Registered, user: Any, browser: Browser | None = None, **values: Any) -> dict[str, Any]:
    """Return the tokens that *application* got for a code of *user*. The arguments are those of `make_code`."""
    response = exchange(application, make_code(application, user, **values), browser)
    assert response.status_code == 200, response.content  # noqa: PLR2004 - the status of a success
    body: dict[str, Any] = response.json()
    return body


def refresh(application: Registered, token: str, browser: Browser | None = None, **parameters: Any) -> Any:
    """Refresh *token* at the token endpoint, and return the response."""
    return application.post("/oauth/token", browser, grant_type="refresh_token", refresh_token=token, **parameters)


def introspect(application: Registered, token: str) -> dict[str, Any]:
    """Return what introspection says about *token*."""
    body: dict[str, Any] = application.post("/oauth/introspect", token=token).json()
    return body


def userinfo(token: str, browser: Browser | None = None) -> Any:
    """Return the response of userinfo to *token* in the header."""
    return (browser or Browser()).get("/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}")


def _encoded(body: Any) -> str:
    return urlencode(body, doseq=True)
