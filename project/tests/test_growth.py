"""Processing text from outside takes linear time: every regular expression, parser, route, field and header."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.core.validators import RegexValidator
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from rest_framework import serializers

from auth_audit.admin import _search_condition
from auth_audit.api.bodies import NetworkField
from auth_audit.append import column_values, digests
from auth_core import admin_search, limits
from auth_core.api.bodies import Body
from auth_core.messages import values
from auth_core.oauth.clients import document_ids, redirect_uris
from auth_core.oauth_resource.issuers import issuer
from auth_core.oauth_resource.proofs import dpop
from auth_core.observability.redaction import one_line, redact_text
from auth_core.pages.forms import PageForm
from auth_core.passwords import policy
from auth_core.people import addresses
from auth_core.request import proxy_headers
from auth_core.request.cookies import bound_cookies
from auth_core.runtime import http_client
from auth_core.testing.growth import LONGER, growth, modules_of, patterns_in, readers_in
from auth_core.text import Pattern
from auth_mfa.messages import phone_numbers
from auth_mfa.site_login import middleware as factors_middleware
from auth_rbac import names
from auth_sessions import user_agents

ROOT = Path(__file__).parents[2]

#: Maximum growth for twice the text. Linear work doubles, quadratic work quadruples.
MOST = 3.0

Make = Callable[[int], str]


def of(part: str, *, head: str = "", tail: str = "") -> Make:
    """Return a function that repeats *part* to a text of the requested length."""
    return lambda size: head + part * (max(0, size - len(head) - len(tail)) // len(part)) + tail


#: Combining marks that normalization must sort, each before its predecessor.
MARKS = of("\u0315\u0300", head="a")

#: The worst-case texts of each expression: near misses, and texts with a possible match at every position.
WORST: dict[str, list[Make]] = {
    "auth_core.api.bodies._FIELD_NAME": [of("a", tail="!")],
    "enterprise_auth.core.demands._KEY_ID": [of("a", tail="!")],
    "enterprise_auth.front.session_check._CSRF_COOKIE": [of("a"), of("a", tail="-")],
    "enterprise_auth.core.public_url._PREFIX": [of("/a", tail="!"), of("/", tail="!"), of("a", head="/", tail="!")],
    "auth_core.oauth.checks._HOST": [of("a", tail="!"), of("a.", tail="!"), of(".")],
    "auth_core.oauth.clients.scopes._SCOPE": [of("a", tail='"')],
    "auth_core.oauth.grants.code._CODE": [of("a", head="eac_"), of("eac_")],
    "auth_core.oauth.grants.code._VERIFIER": [of("a", tail="!")],
    "auth_core.oauth.grants.code.CHALLENGE": [of("a", tail="!")],
    "auth_core.oauth.device_grant.exchange._CODE": [of("a", head="edc_"), of("edc_")],
    "auth_core.oauth.device_grant.user_codes._CODE": [of("B"), of("B", tail="!")],
    "auth_core.oauth.grants.refresh._TOKEN": [of("a", head="ert_"), of("ert_")],
    "auth_core.oauth.tokens.active_tokens._OPAQUE": [of("a", head="eat_"), of("eat_")],
    "auth_core.login.browser._BROWSER_SECRET": [of("a", head="elb_"), of("elb_")],
    "auth_core.request.proxy_headers._IN_BRACKETS": [of("a", head="["), of("[")],
    "auth_core.request.proxy_headers._PARAMETER": [of(" "), of("a", head='for="'), of(" ", head="for=a", tail="x"), of("a")],
    "auth_core.request.proxy_headers._WITH_PORT": [of("1"), of("1.", tail=":")],
    "auth_core.request.context._REQUEST_ID": [of("a", tail="!")],
    "auth_core.request.context._TRACEPARENT": [of("0", head="00-"), of("00-")],
    "auth_core.people.addresses._LOCAL": [of("a", tail="@"), of("a.", tail=".@")],
    "auth_core.crypto.encryption._KEY_ID": [of("a", tail="!")],
    "auth_core.messages.values._CODE": [of("a", tail="!")],
    "auth_core.messages.values._DOT_INSIDE": [of("."), of("a."), of(". ")],
    "auth_core.messages.values._LINK": [of("a", head="https://", tail=" "), of("https://")],
    "auth_core.runtime.http_client._UNAMBIGUOUS": [of("a", tail=" ")],
    "auth_core.pages.link_views._TOKEN": [of("a", head="elr_"), of("elr_")],
    "auth_core.observability.redaction._CONTROL": [of("\x00"), of("a\u202e")],
    "auth_core.observability.redaction._NAMED": [of("key "), of(" ", head="key"), of("token=", tail=" "), of("key='"), of("secret_")],
    "auth_core.observability.redaction._RUN": [of("eyJ-"), of("eyJa."), of("."), of("aaaaaaa "), of("eyJ-.")],
    "auth_core.observability.redaction._SHAPES": [
        of("eyJ-"), of("eas_"), of("e"), of("$argon2"), of("$argon2a"), of("otpauth:/"), of("://a"), of("://a:b"), of("a", head="://"),
        of("a:", head="://"), of(" ", head="bearer"), of("bearer "), of("basic  "), of("eas_aaaaaaaaaaaaaaaaaaa."),
    ],
    "auth_core.messages.sms_gateways._PRINTABLE": [of("a", tail=" ")],
    "auth_core.management.arguments._REASON": [of("a", tail="!")],
    "auth_core.messages.sms_gateways._ACCOUNT_SID": [of("a", head="AC")],
    "auth_core.messages.sms_gateways._SERVICE_SID": [of("a", head="MG")],
    "auth_core.oauth.authorization.claims_parameter._NAME": [of("a", tail="!")],
    "auth_core.oauth.clients.authorization_details._TYPE": [of("a", tail="!")],
    "auth_core.oauth.clients.redirect_uris._LOOPBACK": [of("1", head="http://localhost:"), of("a", head="http://localhost/", tail="\n"), of("http://localhost")],
    "auth_core.oauth.authorization.details._SECONDS": [of("1", tail="!")],
    "auth_core.oauth.authorization.stored_requests._HANDLE": [of("a", head="ear_"), of("ear_")],
    "auth_core.oauth.clients.redirect_uris._PRIVATE_SCHEME": [of("a", tail="!"), of("a.", tail="!"), of("a!")],
    "auth_core.oauth.clients.redirect_uris._UNAMBIGUOUS": [of("a", tail=" ")],
    "auth_core.oauth_resource.proofs.nonces._NONCE": [of("a"), of("a", head="1-"), of("1-")],
    "auth_core.federation.providers.configuration._SLUG": [of("a", tail="!"), of("a-", tail="!"), of("-")],
    "auth_core.runtime.cache_headers._MAX_AGE": [of(" ", head="max-age"), of("1", head="max-age="), of("max-age=")],
    "auth_core.runtime.cache_headers._SECONDS": [of("1", tail="!")],
    "auth_core.oauth_resource.tokens.header._TOKEN": [of("a", tail="!"), of("a", tail="=!"), of("=", head="a", tail="!")],
    "auth_core.oauth.pages.consent_page._HOST": [of("a", tail="!"), of("a:"), of("1", head="a:")],
    "auth_core.text:26": [of("a")],
    "auth_core.validators._WORD": [of("a"), of("a ")],
    "auth_mfa.login_enrolment._NAME": [of("a", tail="\x00")],
    "auth_mfa.webauthn.ceremony._BASE64URL": [of("a", tail="=")],
    "auth_rbac.statements.tables._NAMED_VALUE": [of("%("), of("%(a"), of("a", head="%(")],
    "auth_sessions.devices._COOKIE": [of("a", head="ead_"), of("ead_")],
    "auth_sessions.revocation.session_lookup._CREDENTIAL": [of("a", head="eas_"), of("eas_")],
    "auth_sessions.user_agents._COUNTRY": [of("A", tail="!")],
    "auth_sessions.user_agents._NOT_IN_NAMES": [of("."), of("a.")],
}  # fmt: skip

#: Reasons without a worst-case text: the function reads a setting, or text that a listed function has already parsed.
SETTING = "It reads a setting."
REDIRECT = "It reads a redirect address that was compared with those of the application."
CLIENT = "It reads the address of a client, which auth_core.request.client has parsed."


def _redirect_path(text: str) -> object:
    request = type("Request", (), {"build_absolute_uri": lambda self: "https://a/", "get_host": lambda self: "a"})()
    return factors_middleware._within_site(request, text)


def _refused(call: Callable[[str], object]) -> Callable[[str], object]:
    """Return *call* with exceptions returned as results."""

    def work(text: str) -> object:
        try:
            return call(text)
        except Exception as refusal:  # noqa: BLE001 - other tests check the exceptions
            return refusal

    return work


#: Callers of costly library functions with their worst-case texts, or the reason without one.
READERS: dict[str, tuple[Callable[[str], object], list[Make]] | str] = {
    "auth_core.checks._network_problem": SETTING,
    "auth_core.checks.check_public_url": SETTING,
    "auth_core.oauth.clients.redirect_uris.web_host_of": REDIRECT,
    "auth_core.oauth.clients.document_ids.host_of": "It reads a client id that is the address of a document.",
    "auth_core.oauth.clients.document_ids.is_document_id": (
        document_ids.is_document_id,
        [of("a", head="https://a.example/"), of("/.", head="https://a.example"), of("%2e", head="https://a.example/")],
    ),
    "auth_core.oauth.checks.check_issuer": SETTING,
    "auth_core.oauth.clients.redirect_uris._split": (
        redirect_uris.why_not_allowed,
        [
            of("a", head="https://"),
            of("@", head="https://"),
            of(":", head="https://"),
            of("[", head="https://"),
            of("%", head="https://a/"),
        ],
    ),
    "auth_core.oauth.clients.sectors.sector_of": "It reads addresses of an application that `redirect_uris` has checked.",
    "auth_core.oauth_resource.proofs.dpop.normalised": (
        dpop.normalised,
        [
            of("a", head="https://"),
            of("@", head="https://"),
            of(":", head="https://"),
            of("[", head="https://"),
            of("%", head="https://a/"),
        ],
    ),
    "auth_core.oauth.pages.consent_page._origin_of": "It reads the address of a logo, which `redirect_uris` has checked.",
    "auth_core.federation.providers.base.origin_of": SETTING,
    "auth_core.oauth_resource.checks.check_metadata_address": SETTING,
    "auth_core.oauth_resource.access.sender._origin": SETTING,
    "auth_core.oauth_resource.issuers.discovery.metadata_urls": SETTING,
    "auth_core.oauth_resource.issuers.issuer.is_safe_url": (
        issuer.is_safe_url,
        [of("a", head="https://"), of("@", head="https://"), of(":", head="https://"), of("[", head="https://")],
    ),
    "auth_core.oauth_resource.metadata.document.metadata_path": SETTING,
    "auth_core.oauth_resource.metadata.document.metadata_url": SETTING,
    "auth_core.request.proxy_headers._parsed": (proxy_headers.parsed, [of("1."), of(":"), of("1"), of("%")]),
    "auth_core.runtime.redis_urls.problem_of": SETTING,
    "auth_core.runtime.redis_urls.sentinel_of": SETTING,
    "auth_core.request.client._trusted": SETTING,
    "auth_core.people.addresses._domain": (
        addresses.parse,
        [of("b.", head="a@", tail="org"), of("ü", head="a@", tail=".org")],
    ),
    "auth_core.people.addresses._local": (addresses.parse, [MARKS, of("e\u0301", tail="@example.org")]),
    "auth_core.people.addresses._refuse_ambiguous": (
        addresses.parse,
        [of("\u212a", tail="@example.org"), of("\u00e9", tail="@a.org")],
    ),
    "auth_core.people.addresses.parse": (addresses.parse, [of("\ufdfa", tail="@example.org"), MARKS, of("@")]),
    "auth_core.limits._folded": (limits._folded, [MARKS, of("\ufdfa")]),
    "auth_core.messages.links.link_to": "It reads an address that the code created.",
    "auth_core.messages.links.site_name": SETTING,
    "auth_core.messages.email._compose": SETTING,
    "auth_core.messages.values._ip": (values._ip, [of("1."), of(":"), of("%")]),
    "auth_core.runtime.http_client._Pinned.add_headers": "It reads the result of auth_core.runtime.http_client._split.",
    "auth_core.runtime.http_client._is_allowed": "It reads an address from the resolver.",
    "auth_core.runtime.http_client._split": (
        http_client._split,
        [of("a.", head="https://"), of("@", head="https://"), of("/")],
    ),
    "auth_core.passwords.policy.normalise": (policy.normalise, [MARKS, of("\ufdfa")]),
    "auth_core.messages.sms_gateways._is_address": SETTING,
    "auth_audit.admin._search_condition": (_search_condition, [of("1."), of(":"), of("-"), of("a")]),
    "auth_audit.api.bodies.NetworkField.to_internal_value": (NetworkField().run_validation, [of("1."), of("/")]),
    "auth_audit.append.digests.digest_of_today": (digests.digest_of_today, [MARKS, of("\ufdfa")]),
    "auth_audit.personal.addresses._digest": "It reads an address that auth_audit.append.column_values has parsed.",
    "auth_audit.append.column_values.address": (column_values.address.__wrapped__, [of("1."), of(":"), of("%")]),
    "auth_mfa.checks._can_have_passkeys": SETTING,
    "auth_mfa.checks._is_address": SETTING,
    "auth_mfa.conf.MfaSettings.origins": SETTING,
    "auth_mfa.conf.MfaSettings.rp_id": SETTING,
    "auth_mfa.site_login.middleware._redirected": "It reads what auth_mfa.site_login.middleware._within_site has read.",
    "auth_mfa.site_login.middleware._within_site": (_redirect_path, [of("/.."), of("../"), of("/"), of("?"), of("%")]),
    "auth_mfa.messages.phone_numbers.parse_number": (
        phone_numbers.parse_number,
        [of("1", head="+"), of("+"), of(" ", head="+1")],
    ),
    "auth_mfa.pages.partial_login_views._page": SETTING,
    "auth_core.admin_search._network": (admin_search._network, [of("1."), of(":"), of("/")]),
    "auth_sessions.geo.location_of": CLIENT,
    "auth_sessions.risk_signals.places.AnonymisingNetwork.detect": CLIENT,
    "auth_sessions.risk_signals.places._listed": SETTING,
    "auth_sessions.user_agents.describe": (user_agents.describe, [of("Mozilla/5.0 ("), of("Android "), of("1.")]),
    "auth_rbac.names.key_of": (names.key_of, [MARKS, of("\ufdfa"), of(" ", head="a", tail="a")]),
    "auth_mfa.pages.well_known.passkey_endpoints": SETTING,
    "enterprise_auth.core.certificates._general_name": SETTING,
    "enterprise_auth.core.certificates.keep_certificate": SETTING,
    "enterprise_auth.core.demands._hint": SETTING,
    "enterprise_auth.core.demands._is_network": SETTING,
    "enterprise_auth.core.public_url.parse": SETTING,
    "enterprise_auth.core.redis_servers.broker_problem": SETTING,
    "enterprise_auth.core.redis_servers.broker_settings": SETTING,
    "enterprise_auth.core.setup_report._hosts": SETTING,
    "enterprise_auth.core.setup_report._is_network": SETTING,
}


def _modules() -> Iterator[tuple[Path, str]]:
    yield from modules_of(sorted(ROOT.glob("packages/*/src")))
    yield from ((path, f"enterprise_auth.{name}") for path, name in modules_of([ROOT / "project" / "enterprise_auth"]))


def _expression(name: str) -> re.Pattern[str]:
    """Return the expression ``module.NAME`` without its bound."""
    if ":" in name:
        return Pattern("a*", at_most=1).regex
    module, _dot, attribute = name.rpartition(".")
    pattern = getattr(__import__(module, fromlist=[attribute]), attribute)
    return pattern.regex if isinstance(pattern, Pattern) else pattern


def _uses(expression: re.Pattern[str]) -> Iterator[Callable[[str], object]]:
    yield expression.fullmatch
    yield lambda text: expression.sub("", text)


def test_every_regular_expression_has_worst_case_texts() -> None:
    patterns = set().union(*(patterns_in(path, name) for path, name in _modules()))

    assert patterns == set(WORST)


def test_every_costly_call_has_worst_case_texts_or_a_reason() -> None:
    readers = set().union(*(readers_in(path, name) for path, name in _modules()))

    assert readers == set(READERS)


@pytest.mark.asvs("1.3.12")
@pytest.mark.parametrize("name", WORST)
def test_an_expression_takes_linear_time(name: str) -> None:
    for worst in WORST[name]:
        assert len(worst(LONGER)) > LONGER * 0.99
        for use in _uses(_expression(name)):
            assert growth(use, worst) < MOST, worst(60)


@pytest.mark.asvs("1.3.12")
@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if not isinstance(reader, str)])
def test_a_parser_takes_linear_time(name: str) -> None:
    read, texts = READERS[name]
    for worst in texts:
        assert growth(_refused(read), worst) < MOST, worst(60)


@pytest.mark.asvs("1.3.12")
@pytest.mark.parametrize("part", ["eyJ-", "eas_", "://a:b", "key ", "\x00", " ", "a"])
def test_redaction_takes_linear_time(part: str) -> None:
    secrets = {f"{number:08}" for number in range(200)}

    assert growth(lambda text: one_line(redact_text(text, secrets)), of(part)) < MOST


#: The old redaction pattern. It starts again at each "eyJ" and reads to the end each time.
OLD_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


def test_the_old_redaction_pattern_is_detected() -> None:
    assert growth(lambda text: OLD_JWT.sub("", text), of("eyJ-"), longer=20_000) > MOST


def test_an_unbounded_parser_is_detected() -> None:
    assert growth(lambda text: unicodedata.normalize("NFKC", text), MARKS, longer=20_000) > MOST


def test_an_unlisted_expression_is_detected(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text('import re\nNAME = re.compile("a")\n\ndef find(text):\n    return re.search("b", text)\n')

    assert patterns_in(planted, "planted") == {"planted.NAME", "planted:5"}


def _routes(patterns: Any) -> Iterator[re.Pattern[str]]:
    for pattern in patterns:
        yield pattern.pattern.regex
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns)
        assert isinstance(pattern, URLPattern | URLResolver)


#: Parts of a path: one part, many parts, parts of routes, escaped characters.
PATHS = ["a", "a/", "/", "change/", "admin/", "explain/a/", "%", "é", "-"]


@pytest.mark.asvs("1.3.12")
@pytest.mark.parametrize("part", PATHS)
def test_resolving_a_path_takes_linear_time(part: str) -> None:
    for head in ("/", "/admin/", "/admin/auth_rbac/role/", "/api/v1/object-permissions/", "/signup/confirm/"):
        assert growth(_refused(resolve), of(part, head=head)) < MOST, head


@pytest.mark.asvs("1.3.12")
def test_expressions_of_routes_and_models_take_linear_time() -> None:
    fields = [field for model in apps.get_models() for field in model._meta.get_fields()]
    checks = [check for field in fields for check in getattr(field, "validators", ())]
    expressions = {
        *_routes(get_resolver().url_patterns),
        *(check.regex for check in checks if isinstance(check, RegexValidator)),
    }
    assert len(expressions) > 100

    for expression in expressions:
        # Django matches the whole path with an expression that ends with $.
        read = expression.fullmatch if expression.pattern.endswith("$") else expression.search
        for part in ("a/", "a", "-", "@a."):
            assert growth(read, of(part, tail="\n!")) < MOST, expression.pattern


def _fields_of_bodies() -> Iterator[Any]:
    kinds = [Body]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        yield from kind().fields.values()


def _fields_of_forms() -> Iterator[Any]:
    kinds: list[type[forms.BaseForm]] = [PageForm, *_forms_of_the_admin()]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        yield from kind.base_fields.values()  # type: ignore[attr-defined]  # form classes have them


def _forms_of_the_admin() -> Iterator[type[forms.BaseForm]]:
    yield from (kind for kind in forms.Form.__subclasses__() if kind.__module__.startswith("auth_"))


@pytest.mark.asvs("1.3.12")
@pytest.mark.parametrize("part", ["1", "a", "-", " ", "2026-", "1:", "\u0315\u0300", "=", "."])
def test_a_field_takes_linear_time(part: str) -> None:
    plain = {
        (type(field), getattr(field, "max_length", None)): field
        for field in [*_fields_of_bodies(), *_fields_of_forms()]
        if not isinstance(field, serializers.BaseSerializer | forms.ModelChoiceField | forms.FileField)
    }
    assert len(plain) > 20
    for field in plain.values():
        read = field.run_validation if isinstance(field, serializers.Field) else field.clean
        assert growth(_refused(read), of(part)) < MOST, field


#: Headers that this code, Django, DRF or the standard library reads.
HEADERS = {
    "HTTP_COOKIE": ['a=b; ', "sessionid=", ";", '"', "\\", 'a="\\', "device=ead_"],
    "HTTP_AUTHORIZATION": ["Session ", "eas_", " ", "a"],
    "HTTP_ACCEPT": ["a/b,", "text/html;q=0.1,", ";", "*", '"'],
    "HTTP_ACCEPT_LANGUAGE": ["en,", "en-", ";q=", "a"],
    "HTTP_USER_AGENT": ["Mozilla/5.0 (", "Android ", "1.", "\t"],
    "HTTP_X_REQUEST_ID": ["a", "-"],
    "HTTP_TRACEPARENT": ["00-", "0"],
    "HTTP_X_FORWARDED_FOR": ["1.1.1.1,", ",", ":"],
    "HTTP_REFERER": ["http://a/", "@", "a"],
    "HTTP_ORIGIN": ["http://a/", "@", "a", "["],
    "HTTP_IF_MODIFIED_SINCE": ["1", "Mon, "],
    "HTTP_X_CSRFTOKEN": ["a", " "],
    "CONTENT_TYPE": ["application/json;", ";a=", '"', "multipart/form-data; boundary="],
    "QUERY_STRING": ["next=/&", "a=b&", "&", "%", "next=//", "cursor=a"],
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.asvs("1.3.12")
@pytest.mark.parametrize(("header", "part"), [(name, part) for name, parts in HEADERS.items() for part in parts])
def test_parsing_headers_takes_linear_time(header: str, part: str) -> None:
    browser = Browser(raise_request_exception=True)

    # Django 6.1 refuses a long Content-Type by an exception, before it has a request.
    assert growth(_refused(lambda text: browser.get("/api/v1/me/", **{header: text})), of(part)) < MOST


def test_parsing_cookies_takes_linear_time() -> None:
    def parse(header: str) -> object:
        request = RequestFactory(HTTP_COOKIE=header).get("/")
        bound_cookies(request)
        return request.COOKIES

    for part in ("\\", '\\"', "\\1", "a=b;", "=", 'a="\\";'):
        assert growth(parse, of(part, head='a="', tail='"')) < MOST, part
