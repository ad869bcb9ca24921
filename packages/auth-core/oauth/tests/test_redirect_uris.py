"""Redirect addresses: which may be registered, and which of them a request names."""

import pytest

from auth_core.oauth.clients.redirect_uris import is_registered, is_web, why_not_allowed

REGISTERED = ["https://rp.example/cb", "https://rp.example/q?a=1", "http://127.0.0.1:8000/cb", "com.example.app:/cb"]

#: Addresses that differ from a registered one. Each was accepted by some server.
NOT_REGISTERED = [
    "https://RP.example/cb", "HTTPS://rp.example/cb", "https://rp.example/CB", "https://rp.example/cb/",
    "https://rp.example/cb?", "https://rp.example/cb#", "https://rp.example/cb#x", "https://rp.example/cb?x=1",
    "https://rp.example:443/cb", "https://rp.example./cb", "https://rp.example/cb%20", "https://rp.example/%63b",
    "https://rp.example/./cb", "https://rp.example/a/../cb", "https://rp.example//cb", "https://rp.example\\@evil.example/cb",
    "https://rp.example@evil.example/cb", "https://evil.example/cb?https://rp.example/cb", "https://rp.example.evil.example/cb",
    "http://rp.example/cb", "//rp.example/cb", "/cb", "https:rp.example/cb", "https:///rp.example/cb", " https://rp.example/cb",
    "https://rp.example/cb ", "https://rp.example/cb\n", "https://rp.example/cb\x00", "https://rp.example/q", "https://rp.example/q?a=1&b=2",
    "https://127.0.0.1:8000/cb", "http://127.0.0.1:8000/other", "http://127.0.0.1:8000/cb?x", "http://127.0.0.2:8000/cb",
    "http://localhost:8000/cb", "http://127.0.0.1:800000/cb", "http://127.0.0.1:x/cb", "http://127.0.0.1:8000@evil.example/cb",
    "http://127.0.0.1.evil.example/cb", "http://127.1/cb", "http://[::1]/cb", "com.example.app:/cb/", "com.example.app2:/cb",
    "com.example.app:cb", "javascript:alert(1)", "", "https://", "http://127.0.0.1:99999/cb",
]  # fmt: skip


@pytest.mark.parametrize("uri", REGISTERED)
def test_a_registered_address_is_accepted(uri: str) -> None:
    assert is_registered(uri, REGISTERED)


@pytest.mark.parametrize("uri", NOT_REGISTERED)
def test_an_address_is_compared_as_a_string(uri: str) -> None:
    assert not is_registered(uri, REGISTERED)


@pytest.mark.parametrize("uri", ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"])
def test_the_port_of_a_loopback_address_is_not_compared(uri: str) -> None:
    assert is_registered(uri, ["http://127.0.0.1/cb"])
    assert is_registered(uri, ["http://127.0.0.1:9/cb"])


@pytest.mark.parametrize(
    "uri",
    ["https://rp.example/cb", "http://localhost/", "http://localhost:80", "http://[::1]:8/cb?a=b", "com.example:/cb"],
)
def test_these_addresses_may_be_registered(uri: str) -> None:
    assert why_not_allowed(uri) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "http://evil.example/cb", "http://localhost.evil.example/", "http://127.0.0.1.nip.io/", "https://*.example/cb",
        "https://rp.example/cb#f", "https://u:p@rp.example/", "myapp:/cb", "javascript:alert(1)", "data:text/html,x",
        "com.example.app:cb", "ftp://rp.example/", "rp.example/cb", "https://", "https://rp.example/" + "x" * 2000,
        "https://rp.example/ü", "https://[::1/cb", "https://rp.example:99999/cb",
    ],
)  # fmt: skip
def test_these_addresses_may_not_be_registered(uri: str) -> None:
    assert why_not_allowed(uri)
    assert not is_registered(uri, [uri])


def test_only_https_proves_who_receives_an_answer() -> None:
    assert is_web("https://rp.example/cb")
    assert not is_web("http://127.0.0.1/cb")
    assert not is_web("com.example.app:/cb")
