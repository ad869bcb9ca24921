"""Attempts to bypass limits and the checks in front of a view."""

import socket
import ssl

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]

WRONG = "not the password at all"


def test_a_strangers_proxy_header_is_ignored(stage: Stage, attacker: Caller) -> None:
    """A135: another X-Forwarded-For with each guess."""
    person = stage.person()

    with stage.attack(WRONG, leaves={"auth.login.failed": 10, "auth.limit.refused": 1}):
        codes = [
            attacker.log_in(person.address, WRONG, headers={"X-Forwarded-For": f"198.51.100.{number}"}).json()["code"]
            for number in range(12)
        ]

    assert codes == ["invalid_credentials"] * 10 + ["too_many_attempts"] * 2
    assert stage.last_addresses(11) == {attacker.ip}


def test_spellings_of_one_address_share_one_budget(stage: Stage, attacker: Caller) -> None:
    """A138: another case with each guess."""
    person = stage.person()
    local, _at, domain = person.address.partition("@")
    spellings = [
        person.address.upper(), f"{local.title()}@{domain}", f"{local}@{domain.upper()}", f"  {person.address}",
        f"{person.address} ", f"{local.upper()}@{domain}",
    ]  # fmt: skip

    with stage.attack(WRONG, leaves={"auth.login.failed": 10, "auth.limit.refused": 1}):
        codes = [attacker.log_in(spellings[number % 6], WRONG).json()["code"] for number in range(12)]

    assert codes == ["invalid_credentials"] * 10 + ["too_many_attempts"] * 2


def test_a_header_with_underscores_is_not_a_proxy_header(stage: Stage, attacker: Caller) -> None:
    """A141: `X_Forwarded_For` accepted as `X-Forwarded-For`."""
    person = stage.person()
    headers = {"X_Forwarded_For": "198.51.100.7", "X_Forwarded_Proto": "http", "X_Request_Id": "forged-request-id-1"}

    with stage.attack(WRONG, leaves={"auth.login.failed": 1}) as traces:
        answer = attacker.log_in(person.address, WRONG, headers=headers)

    assert answer.status_code == 401
    assert stage.last_addresses(1) == {attacker.ip}
    assert "forged-request-id-1" not in traces.log


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/%6de/", "/api/v1/login/../me/", "/api/v1/login/%2e%2e/me/", "/api/v1/..;/v1/me/", "//api/v1/me/",
        "/api/v1/me/%2f", "/static/../api/v1/me/", "/static/%2e%2e/%2e%2e/.env", "/api/v1/%256de/", "/health/../api/v1/me/",
    ],
)  # fmt: skip
def test_no_spelling_of_a_path_bypasses_authorization(path: str, stage: Stage, attacker: Caller) -> None:
    """A144: an encoded path, or a path with dots."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    context = ssl.create_default_context(cafile=str(stage.service.certificate))

    with (
        stage.attack(leaves='"status":'),
        socket.create_connection(("127.0.0.1", stage.service.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall(request)
        status = int(client.recv(4096).split(b" ")[1])

    assert status in (301, 302, 400, 401, 404)
    assert PASSWORD
    assert attacker
