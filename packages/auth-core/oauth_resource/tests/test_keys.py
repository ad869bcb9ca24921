"""How often the keys of an issuer are loaded, how long they are used, and what an issuer may answer."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from joserfc.jwk import ECKey

from auth_core.oauth_resource.keys.key_cache import lifetime_of
from auth_core.oauth_resource.testing.issuer import (
    JWKS,
    METADATA,
    OPENID_METADATA,
    FakeIssuer,
    endless,
    fake_issuer,
    reply,
)
from conftest import RESOURCE, Get, MonotonicClock, accept

HOUR = 3600


def with_unknown_kid(issuer: FakeIssuer, number: int) -> str:
    return issuer.token(RESOURCE, header={"kid": f"unknown-{number}"})


def test_a_hundred_unknown_key_ids_load_the_keys_twice(issuer: FakeIssuer, get: Get, monotonic: MonotonicClock) -> None:
    statuses = {get(with_unknown_kid(issuer, number)).status_code for number in range(100)}

    assert statuses == {401}
    assert issuer.count(JWKS) == 2


def test_a_hundred_unknown_key_ids_at_once_load_the_keys_twice(issuer: FakeIssuer, get: Get) -> None:
    get(issuer.token(RESOURCE))
    tokens = [with_unknown_kid(issuer, number) for number in range(100)]

    with ThreadPoolExecutor(20) as pool:
        statuses = [answer.status_code for answer in pool.map(get, tokens)]

    assert statuses == [401] * 100
    assert issuer.count(JWKS) == 2


def test_an_unknown_key_id_loads_the_keys_again_after_the_cooldown(
    issuer: FakeIssuer, get: Get, monotonic: MonotonicClock
) -> None:
    get(issuer.token(RESOURCE))
    get(with_unknown_kid(issuer, 1))
    monotonic.forward(59)
    get(with_unknown_kid(issuer, 2))
    before = issuer.count(JWKS)

    monotonic.forward(1)
    get(with_unknown_kid(issuer, 3))

    assert (before, issuer.count(JWKS)) == (2, 3)


def test_a_new_key_is_loaded_when_it_signs_for_the_first_time(issuer: FakeIssuer, get: Get) -> None:
    old = issuer.token(RESOURCE)
    assert get(old).status_code == 200

    issuer.rotate()

    assert get(issuer.token(RESOURCE)).status_code == 200
    assert get(old).status_code == 401, "the issuer has withdrawn the key"
    assert issuer.count(JWKS) == 2


def test_a_key_that_changes_under_its_id_is_seen_when_the_keys_expire(
    issuer: FakeIssuer, get: Get, monotonic: MonotonicClock
) -> None:
    assert get(issuer.token(RESOURCE)).status_code == 200
    kid, _key, algorithm = issuer.keys[0]
    issuer.keys = [(kid, ECKey.generate_key("P-256"), algorithm)]
    assert get(issuer.token(RESOURCE)).status_code == 401

    monotonic.forward(HOUR)

    assert get(issuer.token(RESOURCE)).status_code == 200


def test_keys_are_renewed_before_they_expire_by_one_request(
    issuer: FakeIssuer, get: Get, monotonic: MonotonicClock
) -> None:
    get(issuer.token(RESOURCE))
    monotonic.forward(0.8 * HOUR - 1)
    get(issuer.token(RESOURCE))
    before = issuer.count(JWKS)
    reached, released = threading.Event(), threading.Event()
    issuer.answers[JWKS] = held(reached, released, issuer)

    monotonic.forward(1)
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(get, issuer.token(RESOURCE))
        assert reached.wait(10)
        statuses = {get(issuer.token(RESOURCE)).status_code for _ in range(20)}
        released.set()
        renewed = renewing.result()

    assert before == 1
    assert statuses == {200}, "they did not wait for the issuer"
    assert renewed.status_code == 200
    assert issuer.count(JWKS) == 2


def held(
    reached: threading.Event, released: threading.Event, issuer: FakeIssuer
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        reached.set()
        released.wait(10)
        reply(issuer.document(JWKS))(handler)

    return answer


def test_the_first_requests_at_once_load_the_keys_once(issuer: FakeIssuer, get: Get) -> None:
    tokens = [issuer.token(RESOURCE) for _ in range(20)]

    with ThreadPoolExecutor(20) as pool:
        statuses = [answer.status_code for answer in pool.map(get, tokens)]

    assert statuses == [200] * 20
    assert issuer.count(JWKS) == 1


CACHE_HEADERS: list[tuple[dict[str, str], timedelta]] = [
    ({}, timedelta(hours=1)),
    ({"cache-control": "public, max-age=600"}, timedelta(minutes=10)),
    ({"cache-control": "MAX-AGE = 600"}, timedelta(minutes=10)),
    ({"cache-control": 'max-age="600"'}, timedelta(minutes=10)),
    ({"cache-control": "max-age=600", "age": "120"}, timedelta(minutes=8)),
    ({"cache-control": "max-age=600", "age": "9999"}, timedelta(minutes=1)),
    ({"cache-control": "max-age=600, max-age=300"}, timedelta(minutes=5)),
    ({"cache-control": "max-age=86400"}, timedelta(hours=1)),
    ({"cache-control": "max-age=1"}, timedelta(minutes=1)),
    ({"cache-control": "no-store"}, timedelta(minutes=1)),
    ({"cache-control": "max-age=600, no-cache"}, timedelta(minutes=1)),
    ({"cache-control": "max-age=-5"}, timedelta(hours=1)),
    ({"cache-control": "max-age=" + "9" * 5000}, timedelta(hours=1)),
]


@pytest.mark.parametrize(("headers", "lifetime"), CACHE_HEADERS)
def test_keys_are_used_as_long_as_the_issuer_allows_within_limits(headers: dict[str, str], lifetime: timedelta) -> None:
    assert lifetime_of(headers, longest=timedelta(hours=1)) == lifetime


def test_keys_are_used_while_the_issuer_is_down_up_to_a_limit(
    issuer: FakeIssuer, get: Get, monotonic: MonotonicClock
) -> None:
    get(issuer.token(RESOURCE))
    issuer.answers[JWKS] = reply({}, status=500)

    monotonic.forward(2 * HOUR - 1)
    in_time = get(issuer.token(RESOURCE))
    monotonic.forward(1)
    too_late = get(issuer.token(RESOURCE))
    issuer.answers.clear()
    monotonic.forward(10)
    again = get(issuer.token(RESOURCE))

    assert (in_time.status_code, too_late.status_code, again.status_code) == (200, 503, 200)
    assert too_late.headers["Retry-After"] == "5"


def test_an_issuer_that_is_down_is_asked_every_ten_seconds(
    issuer: FakeIssuer, get: Get, monotonic: MonotonicClock
) -> None:
    issuer.answers[JWKS] = reply({}, status=500)

    statuses = {get(issuer.token(RESOURCE)).status_code for _ in range(20)}
    before = issuer.count(JWKS)
    monotonic.forward(10)
    get(issuer.token(RESOURCE))

    assert statuses == {503}, "no token is refused for the sake of the issuer"
    assert (before, issuer.count(JWKS)) == (1, 2)


def test_an_unknown_key_id_is_no_refusal_while_the_issuer_is_down(issuer: FakeIssuer, get: Get) -> None:
    get(issuer.token(RESOURCE))
    issuer.rotate()
    issuer.answers[JWKS] = reply({}, status=500)

    assert get(issuer.token(RESOURCE)).status_code == 503


def silent(handler: BaseHTTPRequestHandler) -> None:
    handler.rfile.read(1)


BROKEN: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "a gigabyte": endless,
    "a redirect": reply({}, status=302, headers={"Location": "http://127.0.0.1:1/jwks"}),
    "a redirect to the keys": reply({}, status=307, headers={"Location": JWKS}),
    "no JSON": reply(b"<html>"),
    "no text": reply(b"\xff\xfe\x00"),
    "a list": reply([]),
    "nested lists": reply(b'{"keys":' + b"[" * 60_000),
    "no keys": reply({"keys": []}),
    "keys that are no list": reply({"keys": "many"}),
    "keys that cannot be used": reply({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}),
    "an error": reply({}, status=500),
    "nothing to say": reply(b"", status=204),
    "silence": silent,
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_answer_is_unavailable_and_no_refusal(case: str, issuer: FakeIssuer, settings: Any, get: Get) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(milliseconds=300)}
    issuer.answers[JWKS] = BROKEN[case]

    answer = get(issuer.token(RESOURCE))

    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"


def test_a_key_that_its_issuer_published_with_the_private_part_is_not_used(issuer: FakeIssuer, get: Get) -> None:
    document = issuer.document(JWKS)
    assert document is not None
    document["keys"][0] |= {"d": "not even base64!"}
    issuer.answers[JWKS] = reply(document)

    assert get(issuer.token(RESOURCE)).status_code == 503, "anyone may sign with it"


def test_metadata_that_names_another_issuer_is_refused(issuer: FakeIssuer, get: Get) -> None:
    document = issuer.document(METADATA)
    issuer.answers[METADATA] = reply({**(document or {}), "issuer": f"{issuer.url}/"})

    assert get(issuer.token(RESOURCE)).status_code == 503
    assert issuer.count(JWKS) == 0


def test_an_issuer_with_openid_metadata_alone_is_found(issuer: FakeIssuer, get: Get) -> None:
    issuer.answers[METADATA] = reply({}, status=404)

    assert get(issuer.token(RESOURCE)).status_code == 200
    assert issuer.requests == [METADATA, OPENID_METADATA, JWKS]


def test_the_metadata_of_an_issuer_with_a_path_is_at_the_inserted_one(settings: Any, get: Get) -> None:
    with fake_issuer(path="/tenant") as issuer:
        accept(settings, issuer)

        assert get(issuer.token(RESOURCE)).status_code == 200
        assert issuer.requests == [f"{METADATA}/tenant", JWKS]


def test_the_address_of_the_keys_may_be_named(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    accept(settings, issuer, jwks_uri=f"{issuer.origin}{JWKS}")

    assert get(issuer.token(RESOURCE)).status_code == 200
    assert issuer.requests == [JWKS]


def test_metadata_is_read_again_if_its_address_of_the_keys_fails(
    issuer: FakeIssuer, get: Get, monotonic: MonotonicClock
) -> None:
    get(issuer.token(RESOURCE))
    issuer.answers[JWKS] = reply({}, status=404)
    monotonic.forward(HOUR)
    get(issuer.token(RESOURCE))
    issuer.answers.clear()

    monotonic.forward(10)
    get(issuer.token(RESOURCE))

    assert issuer.requests == [METADATA, JWKS, JWKS, METADATA, JWKS]


def test_an_address_that_is_not_public_is_not_asked(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    settings.AUTH_CORE = {}

    assert get(issuer.token(RESOURCE)).status_code == 503
    assert issuer.requests == []


def test_a_token_of_an_unknown_issuer_asks_no_one(issuer: FakeIssuer, get: Get) -> None:
    with fake_issuer() as other:
        assert get(other.token(RESOURCE)).status_code == 401
        assert get(issuer.token(RESOURCE, iss=other.url)).status_code == 401
        assert (issuer.requests, other.requests) == ([], [])
