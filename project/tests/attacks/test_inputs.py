"""Input that is too long, wrongly encoded, or for another parser."""

import json
import os
import pickle
from pathlib import Path

import pytest

from attacks.stage import PASSWORD, Caller, Stage
from auth_core.testing.redis import OwnRedis

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


def test_a_lookalike_address_is_another_address(stage: Stage, attacker: Caller) -> None:
    """A165: lookalike letters of another script."""
    person = stage.person()
    lookalike = person.address.replace("e", "\u0435", 1)
    browser = attacker.fetch_csrf()

    trace = {"auth.login.failed": 1, "auth.password.reset_requested": 1}
    with stage.attack(PASSWORD, leaves=trace, changes=["auth_core_resetlink"]):
        logged_in = browser.log_in(lookalike)
        browser.api("POST", "password/forgot/", {"email": lookalike})

    assert logged_in.status_code == 401
    assert stage.newest("subject_id", "auth.password.reset_requested") is None, "the link belongs to no user"


@pytest.mark.parametrize("field", ["identifier", "password", "transport"])
def test_a_field_that_is_too_long_is_refused(field: str, stage: Stage, attacker: Caller) -> None:
    """A171: a very long value."""
    body = {"identifier": "a@example.org", "password": PASSWORD, "transport": "token", field: "x" * 10_000}

    with stage.attack(leaves="login/"):
        answer = attacker.api("POST", "login/", body)

    assert answer.status_code == 400


@pytest.mark.parametrize("letter", ["\ufdfa", "\u0390", "\u1e9b\u0323", "ﬀ"])
def test_a_megabyte_of_slow_letters_is_not_normalized(letter: str, stage: Stage, attacker: Caller) -> None:
    """A174: an identifier of a megabyte with letters that NFKC expands."""
    with stage.attack(leaves="login/"):
        long = attacker.log_in(letter * (1_000_000 // len(json.dumps(letter))))
        shorter = attacker.log_in(letter * 4_000)

    assert (long.status_code, shorter.status_code) == (413, 400)


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
@pytest.mark.parametrize("path", ["/api/v1/login/", "/login/"])
def test_a_body_beyond_the_limit_is_refused_by_every_parser(
    kind: str, path: str, stage: Stage, attacker: Caller
) -> None:
    """A177: a body above the limit, through another parser."""
    part = b'--x\r\nContent-Disposition: form-data; name="identifier"\r\n\r\n'
    body = part + b"x" * 1_000_000 + b"\r\n--x--\r\n" if "multipart" in kind else b"identifier=" + b"x" * 1_000_000
    attacker.fetch_csrf()

    with stage.attack(leaves="login/"):
        answer = attacker.post(path, data=body, headers={"Content-Type": kind, "Referer": attacker.own_url})

    assert answer.status_code in ((413, 415) if path.startswith("/api/") else (400, 403, 413))
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "text", ['x\r\n{"level":"ERROR","message":"forged"}', "\x1b[2J\x1b[31mforged", "a\u2028forged"]
)
def test_input_cannot_forge_a_log_line(text: str, stage: Stage, attacker: Caller) -> None:
    """A180: line breaks and escape sequences in input, in a header or in the path."""
    with stage.attack(leaves={"auth.login.failed": 1}) as traces:
        attacker.log_in(f"{text}@example.org")
        attacker.get(f"/nowhere/{attacker.query(x=text)}/")
        attacker.api("GET", f"me/?{attacker.query(cursor=text)}")

    lines = [line for line in traces.log.split("\n") if line]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert "\x1b" not in traces.log
    assert not any(json.loads(line).get("message") == "forged" for line in lines)


def test_stored_values_are_never_unpickled(stage: Stage, attacker: Caller, redis: OwnRedis, tmp_path: Path) -> None:
    """A183: an object in the cache that runs code when it is read."""
    marker = tmp_path / "was-run"
    attacker.sign_in(stage.person())
    attacker.api("GET", "me/")
    poison = pickle.dumps(_Runs(str(marker)))
    keys = redis.client.keys("*")
    for key in keys:
        if redis.client.type(key) == b"string":
            redis.client.set(key, poison, keepttl=True)

    with stage.attack(attacker.credential, leaves="/me/"):
        answers = [attacker.api("GET", "me/") for _time in range(3)]
    redis.flush()

    assert keys, "the cache must have keys to poison"
    assert [answer.status_code for answer in answers] == [200] * 3
    assert not marker.exists()


class _Runs:
    """An object that creates a folder when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)
