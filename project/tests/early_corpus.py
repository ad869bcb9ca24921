"""Good and bad requests to the session check, for the comparison of both paths."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

PATH = "/api/v1/me/"

#: The credentials of sessions in every state, by name: see `test_early_answers.credentials`.
Credentials = Mapping[str, str]

#: A header of ``None`` is removed from the request.
Changes = dict[str, Any]


def environ(**changes: Any) -> dict[str, Any]:
    """Return the environment of a request by a trusted proxy over HTTPS. ``body`` are its bytes."""
    base = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": PATH, "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "testserver", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "198.51.100.7",
        "HTTP_USER_AGENT": "", "HTTP_ACCEPT": "*/*", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    merged = {**base, "wsgi.input": io.BytesIO(changes.pop("body", b"{}")), **changes}
    return {name: value for name, value in merged.items() if value is not None}


def requests_of(credentials: Credentials) -> Iterator[Changes]:
    """Yield the changes of each request: every state and form of a credential, and every oddity with three of them."""
    for credential in credentials.values():
        yield from _forms_of(credential)
    token, cookie = credentials["token"], credentials["cookie"]
    yield from _pairs(token, cookie)
    by_token = {"HTTP_AUTHORIZATION": f"Session {token}"}
    for oddity in (*oddities(), {"HTTP_COOKIE": f"sessionid={cookie}"}):
        yield {**by_token, **oddity}
        yield {"HTTP_AUTHORIZATION": f"Session {credentials['revoked']}", **oddity}
        cookies = "; ".join(filter(None, [f"sessionid={cookie}", oddity.get("HTTP_COOKIE", "")]))
        yield {**oddity, "HTTP_COOKIE": cookies}


def _forms_of(credential: str) -> Iterator[Changes]:
    for method in ("GET", "HEAD"):
        yield {"HTTP_AUTHORIZATION": f"Session {credential}", "REQUEST_METHOD": method}
        yield {"HTTP_COOKIE": f"sessionid={credential}", "REQUEST_METHOD": method}


def _pairs(token: str, cookie: str) -> Iterator[Changes]:
    """Yield credentials that are malformed, doubled, or in the wrong place."""
    for header in (
        token, f"session {token}", f"SESSION {token}", f"Bearer {token}", f"Session  {token}", f"Session\t{token}",
        f" Session {token}", f"Session {token} ", f"Session {token}\r\nX-Injected: yes", f"Session {token}\x00",
        f"Session {token[:-1]}", f"Session {token}A", f"Session {token[:-1]}é", f"Session {token},Session {token}",
        f'Session "{token}"', "Session", "Session ", "", " ", "Basic YWxpY2U6eA==", f"Session {token.upper()}",
        f"Session {token[4:]}", f"Session eas_{'A' * 43}", f"Session {'A' * 9000}", "\xff\xfe", f"Session {token};",
        f"DPoP {token}", "Session eas_", f"Session {cookie}",
    ):  # fmt: skip
        yield {"HTTP_AUTHORIZATION": header}
        yield {"HTTP_AUTHORIZATION": header, "HTTP_COOKIE": f"sessionid={cookie}"}
    for header in (
        f"sessionid={cookie[:-1]}", f"sessionid={cookie}A", f"sessionid={cookie}; sessionid={cookie}", "sessionid=",
        f"sessionid=x; sessionid={cookie}", f"sessionid={cookie}; sessionid=x", f'sessionid="{cookie}"', "sessionid",
        f" sessionid = {cookie} ", f"SESSIONID={cookie}", f"sessionid={cookie},a=b", f"a=b; sessionid={cookie}; c=d",
        f"sessionid={cookie}\r\nSet-Cookie: a=b", f"sessionid={token}", ";;;", f"sessionid={cookie};" + "x" * 40_000,
        "sessionid=%C3%A9", f"=; sessionid={cookie}", f"sessionid={cookie}; csrftoken={'a' * 32}",
        f"sessionid={cookie}; csrftoken={'a' * 64}", f"sessionid={cookie}; csrftoken=short",
        f"sessionid={cookie}; csrftoken={'é' * 32}", f"sessionid={cookie}; csrftoken=", "\xff\xfe=\xff",
        f"sessionid={cookie}; a=\"{chr(92) * 600}\"",
    ):  # fmt: skip
        yield {"HTTP_COOKIE": header}
        yield {"HTTP_COOKIE": header, "REQUEST_METHOD": "HEAD"}


#: One change of a request each: the name of the variable, and its values.
_VALUES: dict[str, tuple[str | None, ...]] = {
    "HTTP_HOST": (
        "localhost", "testserver:443", "TESTSERVER", "testserver.", "evil.example", "", None, "[::1]", "a@testserver",
        "testserver\r\nX-Injected: yes", "testserver,testserver", "test server", "\xe9", "testserver:99999", "x" * 3000,
    ),
    "HTTP_X_FORWARDED_PROTO": (None, "http", "HTTPS", "https,http", "http,https", " https", "", "ftp"),
    "HTTP_X_FORWARDED_FOR": (
        None, "", "unknown", "198.51.100.8", "2001:db8::7", "1.2.3.4, 198.51.100.7", "x" * 2000, "é",
    ),
    "HTTP_ACCEPT": (
        None, "", "application/json", "text/html", "application/*", "application/json;indent=4", "*/*;q=0",
        "application/json, text/plain, */*", "application/json; charset=utf-8", "application/json;INDENT=2", "é",
        "a" * 3000, "text/html;q=0.9,*/*;q=0.1", "application/problem+json", ";", "application/json;version=2",
    ),
    "HTTP_ACCEPT_LANGUAGE": ("de", "de-CH,fr;q=0.5", "zz", "é", "", "*", "en;q=0", "de" * 600, "x" * 3000),
    "QUERY_STRING": ("a=1", "format=json", "format=api", "%00", "a" * 5000, "é", "="),
    "HTTP_IF_NONE_MATCH": ("*", '"abc"'), "HTTP_IF_MODIFIED_SINCE": ("Mon, 01 Jan 2035 00:00:00 GMT", "x"),
    "HTTP_IF_MATCH": ('"x"',), "HTTP_RANGE": ("bytes=0-3",), "HTTP_EXPECT": ("100-continue",),
    "HTTP_ACCEPT_ENCODING": ("gzip", "br, gzip;q=0", "identity"), "HTTP_ACCEPT_CHARSET": ("utf-16",),
    "HTTP_CONNECTION": ("close", "upgrade"), "HTTP_UPGRADE": ("websocket",), "HTTP_TRANSFER_ENCODING": ("chunked",),
    "HTTP_ORIGIN": ("https://app.example.org", "https://evil.example", "null", "", "é", "x" * 3000),
    "HTTP_REFERER": ("https://evil.example/", "é"), "HTTP_CACHE_CONTROL": ("no-cache",), "HTTP_TE": ("trailers",),
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD": ("GET",), "HTTP_SEC_FETCH_SITE": ("cross-site",), "HTTP_DNT": ("1",),
    "HTTP_X_REQUEST_ID": ("0123456789abcdef", "short", "a\r\nX-Injected: yes", "é" * 20, "x" * 100),
    "HTTP_TRACEPARENT": ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-" + "0" * 32 + "-x-01", "é"),
    "HTTP_X_BACKGROUND": ("1", "0", "yes"), "HTTP_USER_AGENT": (None, "curl/8", "x" * 2000, "\x1b[31m", "é\u202e"),
    "HTTP_X_CSRFTOKEN": ("x",), "HTTP_PROXY_AUTHORIZATION": ("Basic x",), "HTTP_X_REAL_IP": ("1.2.3.4",),
    "CONTENT_LENGTH": ("", "0", "2", "-1", "x", "99999999999"), "HTTP_EMPTY": ("",), "HTTP_X_MANY": ("x" * 3000,),
    "CONTENT_TYPE": ("", "application/json", "text/plain; charset=utf-16", "x" * 900, "multipart/form-data"),
    "HTTP_COOKIE": (
        "django_language=de", "django_language=zz", "_ga=1", "csrftoken=" + "a" * 32, "csrftoken=x", "device=ead_x",
        "messages=x", "a=" + "b" * 5000, "device=" + "é" * 10, "__Host-session=x", 'a="\\303"',
    ),
    "REMOTE_ADDR": ("", "x", "2001:db8::1", "203.0.113.9"), "SERVER_PORT": ("443",), "SERVER_PROTOCOL": ("HTTP/1.0",),
    "HTTP_X_FORWARDED_HOST": ("evil.example",), "HTTP_X_FORWARDED_PORT": ("81",), "HTTP_X_FORWARDED_SSL": ("on",),
    "HTTP_FORWARDED": ("for=1.2.3.4",), "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE",), "SCRIPT_NAME": ("/sso",),
}  # fmt: skip

#: Several changes at once.
_TOGETHER: tuple[Changes, ...] = (
    *({"HTTP_X_FORWARDED_PROTO": proto, "REMOTE_ADDR": "203.0.113.9"} for proto in (None, "http", "https", "HTTPS")),
    {"wsgi.url_scheme": "https", "REMOTE_ADDR": "203.0.113.9"},
    {"wsgi.url_scheme": "https", "HTTP_X_FORWARDED_PROTO": None},
    {"SCRIPT_NAME": "/sso", "QUERY_STRING": "a"},
    {"SERVER_NAME": "", "HTTP_HOST": None},
    *(
        {"REQUEST_METHOD": method, "CONTENT_LENGTH": "2", "CONTENT_TYPE": "application/json"}
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "GE T", "PROPFIND")
    ),
)


def oddities(path: str = PATH) -> Iterator[Changes]:
    """Yield the oddities of a request for *path*."""
    yield from _TOGETHER
    for name, values in _VALUES.items():
        yield from ({name: value} for value in values)
    yield from ({"PATH_INFO": odd} for odd in _odd_paths(path))


def _odd_paths(path: str) -> Iterator[str]:
    bare, (first, _slash, rest) = path.rstrip("/"), path.lstrip("/").partition("/")
    yield from (
        bare, f"{bare}/", f"{bare}//", f"/{first.upper()}/{rest}", f"/{path}", f"{path}\x00", f"{bare[:-1]}\xe9/", f"{path}x",
        f"/sso{path}", "", path.lstrip("/"), f"/{first}/../{first}/{rest}", f"{path};a",
    )  # fmt: skip
