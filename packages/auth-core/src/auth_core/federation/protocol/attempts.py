"""Sign-ins that people have begun: the secrets that bind one to its browser and to its provider, in a cookie of its own.

Nothing is stored for a click on a button. The cookie is encrypted, and holds what the callback needs. A state is spent by the
first callback that brings both.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from auth_core.contracts import Purpose
from auth_core.crypto.encryption import DecryptionFailed, decrypt, encrypt
from auth_core.crypto.secrets import digest, new_secret, same
from auth_core.errors import LoginExpired
from auth_core.federation.conf import federation
from auth_core.federation.models import SpentState
from auth_core.login.browser import keep_cookie

#: What the ciphertext in the cookie is, and the one in the address after a provider has posted its answer.
ATTEMPT, ANSWER = "auth_federation.attempt", "auth_federation.answer"

#: Longest ciphertext that is decrypted, in characters. A browser keeps cookies of 4 KiB.
_LONGEST = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A sign-in at a provider, or the connecting of one.

    Args:
        provider: Name of the provider.
        purpose: ``login``, or ``link`` for a person who is signed in and connects the provider.
        state: What the provider sends back.
        nonce: What the ID token repeats.
        verifier: The secret of PKCE.
        session: Public id of the session that connects. Empty for a login.
        continue_to: Where the browser goes afterwards. An address of this site.
        expires_at: When it ends, in ISO 8601.
    """

    provider: str
    purpose: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    session: str
    continue_to: str
    expires_at: str

    @classmethod
    def begin(cls, *, provider: str, purpose: Purpose, session: str = "", continue_to: str = "") -> Self:
        """Return a new attempt."""
        return cls(
            provider=provider,
            purpose=purpose.value,
            state=new_secret("efs"),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            session=session,
            continue_to=continue_to,
            expires_at=(timezone.now() + federation.ATTEMPT_LIFETIME).isoformat(),
        )

    @property
    def ends_at(self) -> datetime:
        """When it ends."""
        return datetime.fromisoformat(self.expires_at)

    def keep(self, response: HttpResponseBase) -> None:
        """Set the cookie."""
        keep_cookie(response, federation.COOKIE, _sealed(ATTEMPT, asdict(self)), lifetime=federation.ATTEMPT_LIFETIME)

    def spend(self) -> None:
        """Spend the state.

        Raises:
            LoginExpired: another callback has spent it.
        """
        if not SpentState.spend(digest(self.state), expires_at=self.ends_at):
            raise LoginExpired


def attempt_of(request: HttpRequest, *, provider: str, state: str) -> Attempt:
    """Return the attempt of this browser that *state* belongs to.

    Raises:
        LoginExpired: there is none: it was begun in another browser, at another provider, or too long ago.
    """
    members = _opened(ATTEMPT, request.COOKIES.get(federation.COOKIE, ""))
    if members is None:
        raise LoginExpired
    attempt = Attempt(**members)
    if attempt.provider != provider or not state or not same(attempt.state, state) or attempt.ends_at <= timezone.now():
        raise LoginExpired
    return attempt


def forget_attempt(request: HttpRequest, response: HttpResponseBase) -> None:
    """Delete the cookie."""
    if federation.COOKIE in request.COOKIES:
        response.delete_cookie(federation.COOKIE, path="/", samesite="Lax")


def sealed_answer(provider: str, parameters: Mapping[str, str]) -> str:
    """Return what a provider posted as a handle for the address. It opens once with the cookie, and for a minute.

    A POST of another site brings no cookie, so nothing can be judged, and nothing is stored for it.
    """
    until = (timezone.now() + federation.ANSWER_LIFETIME).isoformat()
    return _sealed(ANSWER, {"provider": provider, "until": until, "parameters": dict(parameters)})


def opened_answer(provider: str, handle: str) -> dict[str, str]:
    """Return what was posted.

    Raises:
        LoginExpired: the handle is not ours, of another provider, or too old.
    """
    members = _opened(ANSWER, handle)
    if members is None or members["provider"] != provider:
        raise LoginExpired
    if datetime.fromisoformat(members["until"]) <= timezone.now():
        raise LoginExpired
    parameters: dict[str, str] = members["parameters"]
    return parameters


def _sealed(purpose: str, members: Mapping[str, Any]) -> str:
    return encrypt(purpose, json.dumps(members, separators=(",", ":")).encode())


def _opened(purpose: str, text: str) -> dict[str, Any] | None:
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    try:
        members: dict[str, Any] = json.loads(decrypt(purpose, text))
    except (DecryptionFailed, ValueError):
        return None
    return members
