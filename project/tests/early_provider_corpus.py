"""Good and bad requests to the endpoints of the provider, for the comparison of both paths."""

import base64
import io
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from auth_core.oauth.proofs.assertions import ASSERTION_TYPE
from auth_core.oauth.testing.factories import Registered
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication
from early_corpus import Changes, oddities

TOKEN, INTROSPECT = "/oauth/token", "/oauth/introspect"
KEYS = "/.well-known/jwks.json"
METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")

FORM = "application/x-www-form-urlencoded"


def posted(path: str, body: str | bytes, **changes: Any) -> Changes:
    """Return the changes of a request with a form."""
    content = body.encode() if isinstance(body, str) else body
    length = {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(content))}
    return {"REQUEST_METHOD": "POST", "PATH_INFO": path, **length, "body": content, **changes}


def basic(client_id: str, secret: str) -> str:
    """Return the header of a client with a secret."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def requests_of(clients: Mapping[str, Registered], tokens: Mapping[str, str]) -> Iterator[Changes]:
    """Yield the requests.

    Args:
        clients: Applications in every state. ``good`` may use client credentials, ``web`` has tokens of people, ``with a key``
            and ``high`` sign.
        tokens: Tokens in every state.
    """
    good, web = clients["good"], clients["web"]
    for client in clients.values():
        yield from _authenticated(TOKEN, client, grant_type="client_credentials")
        yield from _authenticated(INTROSPECT, client, token=tokens["good"])
    for token in tokens.values():
        yield from _authenticated(INTROSPECT, web, token=token)
        yield posted(INTROSPECT, _credentials(good, token=token))
        for hint in ("access_token", "refresh_token", "x"):
            yield posted(INTROSPECT, _credentials(web, token=token, token_type_hint=hint))
    yield from _malformed(good, tokens["good"])
    yield from _odd(good, web, tokens)
    yield from _signed(clients, tokens["good"])
    yield from _public()


def _malformed(client: Registered, token: str) -> Iterator[Changes]:
    for path in (TOKEN, INTROSPECT):
        yield from (posted(path, body) for body in _forms(client))
        about = f"grant_type=client_credentials&token={token}"
        yield from (posted(path, about, HTTP_AUTHORIZATION=header) for header in _headers(client))


def _odd(good: Registered, web: Registered, tokens: Mapping[str, str]) -> Iterator[Changes]:
    by_basic = {"HTTP_AUTHORIZATION": basic(web.client_id, web.secret)}
    for oddity in (*oddities(TOKEN), *_odd_bodies()):
        yield posted(TOKEN, _credentials(good, grant_type="client_credentials"), **oddity)
    for oddity in (*oddities(INTROSPECT), *_odd_bodies()):
        yield posted(INTROSPECT, urlencode({"token": tokens["good"]}), **by_basic, **oddity)
        yield posted(INTROSPECT, urlencode({"token": tokens["revoked"]}), **by_basic, **oddity)


def _signed(clients: Mapping[str, Registered], token: str) -> Iterator[Changes]:
    """Yield requests with something that the client signed, and that is refused for another reason than an earlier use."""
    about = {"grant_type": "client_credentials", "token": token}
    for path in (TOKEN, INTROSPECT):
        for name in ("with a key", "high"):
            for body in _assertions(clients[name]):
                yield posted(path, urlencode({**about, **body}))
                yield posted(path, urlencode({**about, **body, "client_id": clients[name].client_id}))
                yield posted(path, urlencode({**about, **body}), HTTP_DPOP=KeyHolder().proof(nonce=None))
        for name in ("good", "web", "basic alone", "must prove a key", "disabled", "unknown"):
            for proof in (
                KeyHolder().proof(nonce=None),
                KeyHolder().proof(nonce="x"),
                KeyHolder().proof(iat=1),
                "x",
                "",
            ):
                header = basic(clients[name].client_id, clients[name].secret)
                yield posted(path, _credentials(clients[name], **about), HTTP_DPOP=proof)
                yield posted(path, urlencode(about), HTTP_AUTHORIZATION=header, HTTP_DPOP=proof)


def _assertions(client: Registered) -> Iterator[dict[str, str]]:
    """Yield the parameters of assertions that are not accepted, and of one beside a secret."""
    assert isinstance(client, SigningApplication)
    for wrong in (
        client.assertion(exp=1), client.assertion(aud="https://another.example"), client.assertion(iss="another"),
        client.assertion(jti=None), SigningApplication(row=client.row, secret="").assertion(), "x.y.z", "",
    ):  # fmt: skip
        yield {"client_assertion_type": ASSERTION_TYPE, "client_assertion": wrong}
    yield {"client_assertion_type": "x", "client_assertion": client.assertion()}
    yield {"client_assertion": client.assertion()}
    yield {"client_assertion_type": ASSERTION_TYPE}
    yield {"client_assertion_type": ASSERTION_TYPE, "client_assertion": client.assertion(), "client_secret": "x" * 48}


def _public() -> Iterator[Changes]:
    for path in (KEYS, *METADATA):
        yield {"PATH_INFO": path, "REQUEST_METHOD": "HEAD"}
        yield {"PATH_INFO": path, "HTTP_AUTHORIZATION": "Bearer x"}
    # The two addresses of the metadata are one view.
    for path in (KEYS, METADATA[0]):
        yield from ({"PATH_INFO": path, **oddity} for oddity in oddities(path))


def _credentials(client: Registered, **parameters: str) -> str:
    return urlencode({"client_id": client.client_id, "client_secret": client.secret, **parameters})


def _authenticated(path: str, client: Registered, **parameters: str) -> Iterator[Changes]:
    """Yield a request in both ways to authenticate, in both at once, without a secret, and with a wrong one."""
    header = basic(client.client_id, client.secret)
    yield posted(path, _credentials(client, **parameters))
    yield posted(path, urlencode(parameters), HTTP_AUTHORIZATION=header)
    yield posted(path, urlencode({"client_id": client.client_id, **parameters}), HTTP_AUTHORIZATION=header)
    yield posted(path, urlencode({"client_id": "another", **parameters}), HTTP_AUTHORIZATION=header)
    yield posted(path, _credentials(client, **parameters), HTTP_AUTHORIZATION=header)
    yield posted(path, urlencode({"client_id": client.client_id, **parameters}))
    yield posted(path, urlencode(parameters), HTTP_AUTHORIZATION=basic(client.client_id, "x" * 48))
    yield posted(path, urlencode(parameters), HTTP_AUTHORIZATION=f"Bearer {client.secret}")


def _forms(client: Registered) -> Iterator[str | bytes]:
    """Yield bodies of a client that is good, about a grant that is not."""
    credentials = _credentials(client)
    for more in (
        "", "&grant_type=", "&grant_type=client_credentials&grant_type=client_credentials", "&grant_type=password",
        "&grant_type=client_credentials&grant_type=x", "&grant_type=CLIENT_CREDENTIALS", "&grant_type=client_credentials+",
        "&grant_type=authorization_code", "&grant_type=authorization_code&code=x", "&grant_type=refresh_token",
        "&grant_type=refresh_token&refresh_token=x", "&grant_type=%00", "&grant_type=%ff", "&grant_type=client%5Fcredentials",
        "&grant_type=client_credentials&scope=openid", "&grant_type=client_credentials&scope=orders:read",
        "&grant_type=client_credentials&scope=orders:read+orders:read", "&grant_type=client_credentials&scope=unknown",
        "&grant_type=client_credentials&scope=", "&grant_type=client_credentials&scope=a%22b",
        "&grant_type=client_credentials&scope=" + "x+" * 100, "&grant_type=client_credentials&scope=orders:read&scope=x",
        "&grant_type=client_credentials&resource=https://api.example", "&grant_type=client_credentials&resource=",
        "&grant_type=client_credentials&resource=https://api.example/&resource=https://api.example",
        "&grant_type=client_credentials&resource=https://unknown.example", "&grant_type=client_credentials&resource=api",
        "&grant_type=client_credentials&authorization_details=%5B%7B%22type%22%3A%22account%22%7D%5D",
        "&grant_type=client_credentials&authorization_details=x", "&grant_type=client_credentials&authorization_details=",
        "&grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=edc_" + "x" * 43,
        "&grant_type=urn:ietf:params:oauth:grant-type:device_code",
        "&grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x&audience=https://api.example",
        "&grant_type=urn:ietf:params:oauth:grant-type:token-exchange", "&grant_type=client_credentials&actor_token=x",
        "&grant_type=client_credentials&audience=x&audience=y", "&grant_type=client_credentials&dpop=1",
        "&grant_type=client_credentials&client_id=" + client.client_id, "&grant_type=client_credentials&client_assertion=x",
        "&grant_type=client_credentials&unknown=" + "x" * 30_000, "&grant_type=client_credentials&x=" + "x" * 70_000,
        "&grant_type=client_credentials&" + "&".join(f"a{number}=1" for number in range(150)), "&token=", "&token=x",
        "&token=x&token=y", "&token=..", "&token=eat_" + "x" * 43, "&token=" + "A" * 9_000, "&token=%00", ";token=x",
        "&token=\u00e9", "&token=%C3%A9", "&&&", "&=", "&token", "&token=a=b", "#&token=x", "&grant_type=client_credentials\r\n",
    ):  # fmt: skip
        yield f"{credentials}{more}"
    yield from (b"", b"\xff\xfe", b"{}", b'{"grant_type":"client_credentials"}', b"&" * 200, b"\x00", b"=" * 50)


def _headers(client: Registered) -> Iterator[str]:
    good = basic(client.client_id, client.secret)
    pair = f"{client.client_id}:{client.secret}"
    yield from (
        good.lower(), good.replace("Basic", "BASIC"), good.replace(" ", "  "), f" {good}", f"{good} ", f"{good},{good}",
        good.replace("Basic ", "Basic\t"), good.rstrip("="), f"{good}=", f"Basic {pair}", "Basic", "Basic ", "", " ",
        "Basic Og==", f"Basic {base64.b64encode(client.client_id.encode()).decode()}", "Bearer x", "DPoP x", "Session x",
        f"Basic {base64.b64encode(pair.encode('utf-16')).decode()}", "Basic " + "A" * 5_000, "Basic \xe9", "\xff",
        basic(client.client_id, ""), basic("", client.secret), basic(client.client_id, f"{client.secret}x"),
        basic(f"{client.client_id}\x00", client.secret), basic("x" * 300, client.secret), basic("é", "ü"),
    )  # fmt: skip


def _odd_bodies() -> Iterator[Changes]:
    """Yield oddities of requests with a body."""
    for kind in (
        f"{FORM}; charset=utf-8", f"{FORM};charset=utf-16", f"{FORM}, {FORM}", FORM.upper(), f" {FORM}", "text/plain",
        "multipart/form-data; boundary=x", "application/json; charset=utf-8", f"{FORM}; charset=\xe9", None,
    ):  # fmt: skip
        yield {"CONTENT_TYPE": kind}
    for length in (
        None,
        "1",
        "10",
        "65536",
        "65537",
        "262145",
        "9" * 30,
        "1e3",
        "+5",
        "0x10",
        "\u0665",
        "1.0",
        " 7",
        "07",
    ):
        yield {"CONTENT_LENGTH": length}
    yield {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}
    yield {"HTTP_TRANSFER_ENCODING": "chunked"}
    yield {"HTTP_COOKIE": "sessionid=x"}
    yield {"HTTP_COOKIE": ""}
    yield {"HTTP_DPOP": "x"}
    yield {"wsgi.input": Broken()}
    for method in ("GET", "HEAD", "PUT", "OPTIONS", "post"):
        yield {"REQUEST_METHOD": method}
    yield {"REQUEST_METHOD": "OPTIONS", "HTTP_ORIGIN": "https://spa.example"}
    yield {"HTTP_ORIGIN": "https://spa.example"}


class Broken(io.BytesIO):
    """A body whose connection is lost."""

    def read(self, *_size: Any) -> bytes:
        """Fail.

        Raises:
            OSError: always.
        """
        raise OSError("connection lost")
