"""Defects of the provider, planted in the running process: each turns some modules red."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from auth_core.oauth.authorization import details, pushed_requests
from auth_core.oauth.authorization.responses import Reply
from auth_core.oauth.clients import authentication
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.endpoints import answers, metadata, pushed_authorization, userinfo
from auth_core.oauth.endpoints.callers import Caller
from auth_core.oauth.errors import InvalidRequest, InvalidRequestUri
from auth_core.oauth.grants import code, redemption, tokens
from auth_core.oauth.models import Authorization, AuthorizationRequest
from auth_core.oauth.pages import authorize_views
from auth_core.oauth.proofs import assertions
from auth_core.oauth_resource.proofs import dpop

Plant = Callable[[pytest.MonkeyPatch], None]


def replaces(owner: Any, name: str, other: Any) -> Plant:
    """Return a defect that puts *other* in the place of a function or value."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, other, raising=False)


def answers_with(value: Any) -> Callable[..., Any]:
    """Return a function that returns *value* for anything."""
    return lambda *arguments, **named: value


class Everything:
    """Contains whatever it is asked for."""

    def __contains__(self, member: object) -> bool:
        return True


class LongLife:
    """The settings, with pushed requests that live for a day."""

    PUSHED_REQUEST_LIFETIME = timedelta(days=1)
    REQUEST_LIFETIME = timedelta(days=1)


def _unbound(original: Any = tokens.issue_access_token) -> Callable[..., Any]:
    return lambda *arguments, **named: original(*arguments, **{**named, "thumbprint": ""})


def _without(*lost: str) -> Callable[..., Any]:
    """Return a reader of times that cannot read some."""
    original = dpop.moment_in
    return lambda claims, name: None if name in lost else original(claims, name)


def _no_second_old(claims: Mapping[str, Any], *, now: float, age: timedelta, original: Any = dpop._issued_at) -> Any:
    return original(claims, now=now, age=timedelta(seconds=1))


def _needs_nonce(parameters: Mapping[str, Any]) -> None:
    if "nonce" not in parameters:
        raise InvalidRequest


def _cut(caller: Any, original: Any = pushed_authorization._parameters_of) -> dict[str, Any]:
    return {name: value[:50] for name, value in original(caller).items()}


def _other_key(*arguments: Any, original: Any = pushed_requests.new_row, **named: Any) -> Any:
    return original(*arguments, **{**named, "dpop_jkt": "x" * 43})


def _with_outside(self: Any, request: Any, row: Any, *arguments: Any) -> None:
    row.parameters = {**row.parameters, **request.GET.dict()}
    _VISIT(self, request, row, *arguments)


_VISIT = authorize_views.Visit.__init__


def _refuse_name(name: str, application: Any) -> Any:
    raise InvalidRequestUri


def _spent_by_a_visit(name: str, application: Any, original: Any = pushed_requests.find_pushed) -> Any:
    found = original(name, application)
    AuthorizationRequest.objects.update(completed_at=timezone.now())
    return found


def _of_any_client(name: str, application: Any) -> Any:
    handle = pushed_requests._handle_of(name)
    return pushed_requests.find_request(handle, kind=pushed_requests.Kind.AUTHORIZE), handle


def _answered_again(name: str, application: Any) -> Any:
    handle = pushed_requests._handle_of(name)
    AuthorizationRequest.objects.update(completed_at=None)
    return pushed_requests.find_request(handle, kind=pushed_requests.Kind.AUTHORIZE), handle


def _of_any_application(
    column: str, digest: str, *, application_pk: Any, original: Any = redemption.spend_code, **named: Any
) -> Any:
    row = Authorization.objects.filter(code_digest=digest).first()
    return original(column, digest, application_pk=application_pk if row is None else row.application_id, **named)


def _array_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assertions, "isinstance", answers_with(True), raising=False)
    monkeypatch.setattr(authentication, "_audiences", answers_with(Everything()))


def _any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    ANY_PROTOCOL(monkeypatch)
    original = pushed_requests.text_of
    monkeypatch.setattr(
        pushed_requests, "text_of", lambda values, name: "" if name == "request_uri" else original(values, name)
    )


_FALSE = property(answers_with(False))

UNBOUND = replaces(tokens, "issue_access_token", _unbound())
NO_ISSUER = replaces(Reply, "members", lambda self, **answer: {**answer, "state": self.state})
OTHER_STATE = replaces(Reply, "members", lambda self, **answer: {**answer, "state": "x", "iss": "x"})
CUT = replaces(pushed_authorization, "_parameters_of", _cut)
OUTSIDE = replaces(authorize_views.Visit, "__init__", _with_outside)
ANY_ADDRESS = replaces(pushed_requests, "is_registered", answers_with(True))
ANY_PROTOCOL = replaces(details, "_check_protocol", answers_with(None))
ANY_CHALLENGE = replaces(details, "_check_challenge", answers_with(None))
ANY_VERIFIER = replaces(code, "_check_proof", answers_with(None))
ANY_KEY = replaces(code, "same", answers_with(True))
ANY_ASSERTION = replaces(authentication, "is_valid", answers_with(True))
ANY_TIME = replaces(assertions, "_is_current", answers_with(True))
ANY_AUDIENCE = replaces(authentication, "_audiences", answers_with(Everything()))
NO_PROOF_READ = replaces(Caller, "with_sender", lambda self: self)
NO_KEY_NEEDED = replaces(RegisteredApplication, "must_prove_key", _FALSE)
WRONG_BINDING = replaces(pushed_requests, "new_row", _other_key)
NO_CLOCK_AHEAD = timedelta(0)

#: The defect that turns each module red.
DEFECTS: Mapping[str, Plant] = {
    "happy-flow": UNBOUND,
    "check-dpop-proof-nbf-exp": replaces(dpop, "moment_in", _without("exp", "nbf")),
    "access-token-type-header-case-sensitivity": replaces(
        userinfo, "scheme_of", lambda text: text if text == "DPoP" else ""
    ),
    "discovery-end-point-verification": replaces(metadata, "_methods", answers_with(["client_secret_basic"])),
    "user-rejects-authentication": NO_ISSUER,
    "ensure-authorization-request-without-state-success": OTHER_STATE,
    "ensure-authorization-request-without-nonce-success": replaces(details, "_check_challenge", _needs_nonce),
    "ensure-authorization-request-with-64-char-nonce-success": CUT,
    "ensure-other-scope-order-succeeds": replaces(details, "split_scope", lambda text: text.split()[:1]),
    "test-claims-parameter-identity-claims": replaces(details, "parse_claims", answers_with({})),
    "ensure-dpopproof-with-iat-10seconds-before-succeeds": replaces(dpop, "_issued_at", _no_second_old),
    "ensure-dpopproof-with-iat-10seconds-after-succeeds": replaces(dpop, "AHEAD", NO_CLOCK_AHEAD),
    "ensure-mismatched-dpop-jkt-fails": NO_PROOF_READ,
    "ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt": ANY_KEY,
    "ensure-token-endpoint-fails-with-mismatched-dpop-jkt": ANY_KEY,
    "ensure-dpopproof-at-par-endpoint-binding-success": WRONG_BINDING,
    "ensure-dpop-auth-code-binding-success": WRONG_BINDING,
    "ensure-different-nonce-inside-and-outside-request-object": OUTSIDE,
    "ensure-different-state-inside-and-outside-request-object": OUTSIDE,
    "ensure-authorization-request-with-long-nonce": CUT,
    "ensure-authorization-request-with-long-state": CUT,
    "state-only-outside-request-object-not-used": OUTSIDE,
    "ensure-request-object-without-redirect-uri-fails": ANY_ADDRESS,
    "ensure-registered-redirect-uri": ANY_ADDRESS,
    "plain-fapi-tolerate-unregistered-redirect-uri": ANY_ADDRESS,
    "ensure-unsigned-authorization-request-without-using-par-fails": replaces(
        RegisteredApplication, "must_push", _FALSE
    ),
    "ensure-redirect-uri-in-authorization-request": ANY_ADDRESS,
    "ensure-response-type-code-idtoken-fails": ANY_PROTOCOL,
    "ensure-response-type-token-fails": ANY_PROTOCOL,
    "ensure-client-id-in-token-endpoint": ANY_ASSERTION,
    "ensure-holder-of-key-required": NO_KEY_NEEDED,
    "ensure-authorization-code-is-bound-to-client": replaces(redemption, "spend_code", _of_any_application),
    "attempt-reuse-authorization-code-after-one-second": replaces(code, "end_replayed", answers_with(None)),
    "ensure-token-endpoint-fails-with-expired-auth-code": ANY_VERIFIER,
    "ensure-signed-client-assertion-with-RS256-fails": replaces(
        RegisteredApplication, "assertion_algorithms", property(answers_with(assertions.ALGORITHMS))
    ),
    "ensure-client-assertion-in-token-endpoint": replaces(authentication, "_is_proved", answers_with(True)),
    "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails": ANY_TIME,
    "ensure-client-assertion-with-wrong-aud-fails": ANY_AUDIENCE,
    "ensure-client-assertion-with-no-sub-fails": ANY_ASSERTION,
    "dpop-negative-tests": replaces(dpop, "is_of_request", answers_with(True)),
    "refresh-token": NO_KEY_NEEDED,
    "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds": replaces(
        authorize_views, "find_pushed", _spent_by_a_visit
    ),
    "par-attempt-reuse-request_uri": replaces(authorize_views, "find_pushed", _answered_again),
    "par-attempt-to-use-expired-request_uri": replaces(pushed_requests, "oauth", LongLife),
    "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted": replaces(
        assertions, "AHEAD", NO_CLOCK_AHEAD
    ),
    "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails": ANY_TIME,
    "par-attempt-to-use-request_uri-for-different-client": replaces(authorize_views, "find_pushed", _of_any_client),
    "par-authorization-request-containing-request_uri-form-param": _any_name,
    "par-attempt-invalid-http-method": replaces(
        answers, "HttpResponseNotAllowed", answers_with(HttpResponse(status=200))
    ),
    "par-ensure-pkce-required": ANY_CHALLENGE,
    "ensure-pkce-code-verifier-required": ANY_VERIFIER,
    "incorrect-pkce-code-verifier-rejected": ANY_VERIFIER,
    "par-plain-pkce-rejected": ANY_CHALLENGE,
    "par-without-duplicate-parameters": replaces(authorize_views, "find_pushed", _refuse_name),
    "par-test-array-as-audience-fails": _array_audience,
    "par-test-par-endpoint-url-as-audience-fails": ANY_AUDIENCE,
    "par-test-token-endpoint-url-as-audience-fails": ANY_AUDIENCE,
}
