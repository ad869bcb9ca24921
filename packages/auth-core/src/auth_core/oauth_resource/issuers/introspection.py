"""What an issuer says about a token. An answer that it is active is remembered for a moment, and no other one.

Source: RFC 7662.
"""

import logging
import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from time import monotonic
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.utils import timezone

from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.errors import Unavailable
from auth_core.oauth_resource.issuers.discovery import discover, endpoint_in
from auth_core.oauth_resource.issuers.issuer import Issuer
from auth_core.oauth_resource.issuers.unknown_tokens import UnknownTokens
from auth_core.oauth_resource.keys.documents import DocumentFailed, fetch_document
from auth_core.oauth_resource.keys.key_cache import WouldWait
from auth_core.runtime.circuit_breaker import Breaker, BreakerOpen

logger = logging.getLogger("auth_core.oauth_resource")

#: How long an answer is remembered at most, whatever the setting says. A revocation is seen after it.
LONGEST_CACHE = timedelta(seconds=30)

#: How many tokens a process remembers.
_MOST_TOKENS = 10_000

_PAUSE = timedelta(seconds=5)


class Introspection:
    """The introspection endpoint of one issuer.

    Args:
        issuer: The issuer, with a client id and a secret.
    """

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._endpoint = issuer.introspection_endpoint
        self._unknown = UnknownTokens()
        self._breaker = Breaker(f"introspection at {issuer.url}", pause=_PAUSE)
        self._lock = threading.Lock()
        #: Digests of tokens, each with the moment at which it is forgotten and what was said. The oldest is first.
        self._remembered: OrderedDict[bytes, tuple[float, Mapping[str, Any]]] = OrderedDict()

    def ask(self, text: str, *, network: str = "", may_wait: bool = True) -> Mapping[str, Any] | None:
        """Return the members of an active token, or ``None``.

        Args:
            network: Where the request comes from. What turns out not to be active is counted for it, before the issuer is
                asked about the next one.

        Raises:
            TooManyUnknownTokens: there were too many in this minute. Remembered tokens are accepted all the same.
            Unavailable: the issuer does not answer, or does not accept our client.
            WouldWait: it must be asked, and the caller may not wait.
        """
        key = sha256(text.encode()).digest()
        remembered = self._remembered.get(key)
        if remembered is not None and monotonic() < remembered[0]:
            return remembered[1]
        if not may_wait:
            raise WouldWait
        self._unknown.charge(network)
        members = self._answer_about(text, network)
        if members.get("active") is not True:
            return None
        self._unknown.refund(network)
        self._remember(key, members)
        return members

    def _answer_about(self, text: str, network: str) -> Mapping[str, Any]:
        """Return what the issuer says. An outage is no unknown token.

        Raises:
            Unavailable: it says nothing.
        """
        try:
            return self._breaker.call(lambda: self._ask(text))
        except (BreakerOpen, DocumentFailed) as problem:
            self._unknown.refund(network)
            if isinstance(problem, DocumentFailed):
                logger.warning("A token of %s cannot be introspected: %s.", self._issuer.url, problem)
            raise Unavailable from problem

    def _ask(self, text: str) -> Mapping[str, Any]:
        body = urlencode({"token": text, "token_type_hint": "access_token"}).encode()
        headers = {"Authorization": self._authorization(), "Content-Type": "application/x-www-form-urlencoded"}
        return fetch_document(self._address(), method="POST", body=body, headers=headers).members

    def _authorization(self) -> str:
        """Return the credentials, form-encoded before they are joined (RFC 6749 section 2.3.1)."""
        both = f"{quote_plus(self._issuer.client_id)}:{quote_plus(self._issuer.client_secret)}"
        return f"Basic {b64encode(both.encode()).decode()}"

    def _address(self) -> str:
        if not self._endpoint:
            self._endpoint = endpoint_in(discover(self._issuer), "introspection_endpoint")
        return self._endpoint

    def _remember(self, key: bytes, members: Mapping[str, Any]) -> None:
        seconds = min(resource.INTROSPECTION_CACHE, LONGEST_CACHE).total_seconds()
        exp = members.get("exp")
        if isinstance(exp, int | float):
            seconds = min(seconds, exp - timezone.now().timestamp())
        if seconds <= 0:
            return
        with self._lock:
            self._remembered[key] = (monotonic() + seconds, members)
            self._remembered.move_to_end(key)
            while len(self._remembered) > _MOST_TOKENS:
                self._remembered.popitem(last=False)
