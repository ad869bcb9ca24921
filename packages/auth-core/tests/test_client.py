"""The client of a request. Headers of untrusted peers are ignored."""

from typing import Any

import pytest
from django.test import RequestFactory

from auth_core.request.client import client_of, forget_strangers_headers

PROXY = "10.0.0.1"


@pytest.fixture
def behind_proxy(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUSTED_PROXIES": ["10.0.0.0/8", "unix", "2001:db8::/32"]}


def ip_of(peer: str, **headers: str) -> str:
    return client_of(RequestFactory().get("/", REMOTE_ADDR=peer, **headers)).ip


@pytest.mark.asvs("4.1.3")
@pytest.mark.asvs("15.3.4")
@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_FORWARDED_FOR": "192.0.2.66"},
        {"HTTP_X_REAL_IP": "192.0.2.66"},
        {"HTTP_FORWARDED": "for=192.0.2.66"},
        {"HTTP_CLIENT_IP": "192.0.2.66"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.66, 10.0.0.1"},
    ],
)
@pytest.mark.parametrize("proxied", [True, False])
def test_forwarding_headers_of_an_untrusted_peer_are_ignored(
    headers: dict[str, str], proxied: bool, request: Any
) -> None:
    if proxied:
        request.getfixturevalue("behind_proxy")

    assert ip_of("198.51.100.7", **headers) == "198.51.100.7"


@pytest.mark.asvs("4.1.3")
@pytest.mark.parametrize("name", ["HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"])
def test_only_a_trusted_proxy_sets_the_scheme(name: str, behind_proxy: None) -> None:
    of_stranger = RequestFactory().get("/", REMOTE_ADDR="198.51.100.7", **{name: "https"})
    of_proxy = RequestFactory().get("/", REMOTE_ADDR=PROXY, **{name: "https"})

    for request in (of_stranger, of_proxy):
        forget_strangers_headers(request)

    assert name not in of_stranger.META
    assert of_proxy.META[name] == "https"


@pytest.mark.parametrize(
    ("header", "ip"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.66, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.66, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("192.0.2.66,192.0.2.1 , 10.0.0.2,10.0.0.3", "192.0.2.1"),
        ("2001:db9::1", "2001:db9::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, nonsense", PROXY),
        ("nonsense", PROXY),
        ("", PROXY),
        ("10.0.0.5", PROXY),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("192.0.2.66:1, 192.0.2.1:4711, 10.0.0.2:80", "192.0.2.1"),
        ("[2001:db9::3]:443", "2001:db9::3"),
        ("[2001:db9::3]", "2001:db9::3"),
        ("2001:db9::3:443", "2001:db9::3:443"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("[2001:db9::1%eth0]:1", "2001:db9::1"),
        ("192.0.2.1:", PROXY),
        ("192.0.2.1:port", PROXY),
        ("192.0.2.1:123456", PROXY),
        ("[192.0.2.1]:80", PROXY),
        ("[2001:db9::3", PROXY),
        ("[2001:db9::3]443", PROXY),
        ("192.0.2.1, unknown", PROXY),
        ("192.0.2.1, _hidden", PROXY),
        ("unknown, 192.0.2.1", "192.0.2.1"),
        ('"192.0.2.1"', PROXY),
        ("for=192.0.2.1", PROXY),
        ("192.0.2.1," + "10.0.0.2," * 1_000, PROXY),
        ("1" * 1_016 + ".192.0.2.1", PROXY),
        ("x" + ", 10.0.0.2" * 101 + ",  203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("192.0.2.1" + "," + "10.0.0.2," * 113 + "10.0.0.2", PROXY),
        ("[" * 1_000 + "1]:443", PROXY),
        ("2001:db9::1%<script>", "2001:db9::1"),
        ("x" * 100_000, PROXY),
    ],
)
def test_behind_a_trusted_proxy_the_rightmost_untrusted_address_is_the_client(
    header: str, ip: str, behind_proxy: None
) -> None:
    assert ip_of(PROXY, HTTP_X_FORWARDED_FOR=header) == ip


@pytest.mark.parametrize(
    ("header", "ip"),
    [
        ("for=192.0.2.1", "192.0.2.1"),
        ("for=192.0.2.66, for=192.0.2.1;proto=https;by=10.0.0.2", "192.0.2.1"),
        ('For="[2001:db9:cafe::17]:4711"', "2001:db9:cafe::17"),
        ('for="[2001:db9::1]", for=10.0.0.2', "2001:db9::1"),
        ('for="192.0.2.1:4711"', "192.0.2.1"),
        ("for=192.0.2.1:4711", "192.0.2.1"),
        ("proto=https ; for=192.0.2.1", "192.0.2.1"),
        ("for=unknown", PROXY),
        ("for=_hidden, for=_SEVKISEK", PROXY),
        ("for=192.0.2.1, for=unknown", PROXY),
        ("proto=https", PROXY),
        ("for=192.0.2.1;for=192.0.2.2", PROXY),
        ("192.0.2.1", PROXY),
        ('for="192.0.2.1', PROXY),
        ('for="a, for=192.0.2.1', "192.0.2.1"),
        ("for=" * 10_000, PROXY),
        ('for="' + "\\\\" * 10_000, PROXY),
        ("", PROXY),
    ],
)
def test_the_header_of_rfc_7239_is_read_if_configured(header: str, ip: str, behind_proxy: None, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PROXY_HEADER": "Forwarded"}

    assert ip_of(PROXY, HTTP_FORWARDED=header) == ip


def test_clients_behind_a_proxy_that_adds_ports_have_budgets_of_their_own(behind_proxy: None) -> None:
    networks = {
        client_of(RequestFactory().get("/", REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=header)).network
        for header in ("192.0.2.1:1000", "192.0.2.1:2000", "192.0.2.2:1000", "[2001:db9::1]:1", "[2001:db9::2]:9")
    }

    assert networks == {"192.0.2.1", "192.0.2.2", "2001:db9::/64"}


@pytest.mark.parametrize("name", ["HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_X_CLIENT_IP"])
def test_only_the_configured_header_is_read(name: str, behind_proxy: None) -> None:
    assert ip_of(PROXY, **{name: "192.0.2.66"}) == PROXY


def test_a_socket_is_trusted_only_if_configured(behind_proxy: None, settings: Any) -> None:
    assert ip_of("", HTTP_X_FORWARDED_FOR="192.0.2.1") == "192.0.2.1"

    settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUSTED_PROXIES": ["10.0.0.0/8"]}
    assert ip_of("", HTTP_X_FORWARDED_FOR="192.0.2.1") == ""


def test_all_addresses_of_a_household_are_one_network() -> None:
    networks = {
        client_of(RequestFactory().get("/", REMOTE_ADDR=f"2001:db8:1:2::{number}")).network for number in range(5)
    }

    assert networks == {"2001:db8:1:2::/64"}


def test_a_user_agent_is_bounded_and_has_no_control_characters() -> None:
    client = client_of(RequestFactory().get("/", HTTP_USER_AGENT="a\r\nb\x1b[31m\u202e" + "x" * 10_000))

    assert len(client.user_agent) == 512
    assert client.user_agent.isprintable()
