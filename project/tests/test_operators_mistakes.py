"""Mistakes in the environment: each works all the same, or is named in the one message at start, without a secret."""

import base64
import secrets
import sys
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from auth_core.crypto.weak_keys import RECIPE
from enterprise_auth.core import public_url
from enterprise_auth.core.keys import development_keys
from enterprise_auth.env import VARIABLES, Environment, InvalidEnvironment

SECRET = "hunter22-"


def key() -> str:
    """Return 32 random bytes in base64url."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


GOOD = {
    "SECRET_KEY": SECRET + secrets.token_urlsafe(64),
    "FIELD_KEYS": f"now:{key()}",
    "PUBLIC_URL": "https://auth.example.org",
    "ALLOWED_HOSTS": "auth.example.org",
    "DATABASE_URL": f"postgres://app:{SECRET}@127.0.0.1:1/nowhere",
}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that loads the production settings with variables, and returns the module."""

    def load(**values: str) -> Any:
        for variable in VARIABLES:
            monkeypatch.delenv(variable, raising=False)
            monkeypatch.delenv(f"{variable}_FILE", raising=False)
        for name, value in {**GOOD, **values}.items():
            monkeypatch.setenv(name, value)
        for module in ("enterprise_auth.settings.production", "enterprise_auth.settings.base"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        __import__("enterprise_auth.settings.production")
        return sys.modules["enterprise_auth.settings.production"]

    return load


#: Variables, and what must be in the settings: what operators mean by them.
WORKS: list[tuple[dict[str, str], str, Any]] = [
    ({"PUBLIC_URL": " https://auth.example.org/ \n"}, "PUBLIC_URL", "https://auth.example.org"),
    ({"ALLOWED_HOSTS": " auth.example.org , .example.net,"}, "ALLOWED_HOSTS", ["auth.example.org", ".example.net"]),
    ({"ALLOWED_HOSTS": ".example.org"}, "ALLOWED_HOSTS", [".example.org"]),
    ({"DEBUG": " False "}, "DEBUG", False),
    ({"DEBUG": "no"}, "DEBUG", False),
    ({"DEBUG": ""}, "DEBUG", False),
    ({"LOG_LEVEL": "info"}, "DEBUG", False),
    ({"AUTH_PROFILE": "HIGH"}, "AUTH_PROFILE", "high"),
    ({"WEB_THREADS": " 8\n"}, "DEBUG", False),
    ({"REDIS_URL": ""}, "REDIS_URL", ""),
    ({"HSTS_SECONDS": ""}, "SECURE_HSTS_SECONDS", 31_536_000),
    ({"HSTS_SECONDS": "300"}, "SECURE_HSTS_SECONDS", 300),
    ({"HSTS_SECONDS": "300"}, "SECURE_HSTS_PRELOAD", False),
    ({"HSTS_SECONDS": "0"}, "SECURE_HSTS_SECONDS", 0),
    ({}, "SECURE_HSTS_PRELOAD", True),
    ({"CSRF_TRUSTED_ORIGINS": "https://*.example.net"}, "CSRF_TRUSTED_ORIGINS", ["https://auth.example.org", "https://*.example.net"]),
    ({"DEFAULT_FROM_EMAIL": "Example <auth@example.org>"}, "DEFAULT_FROM_EMAIL", "Example <auth@example.org>"),
    ({"PUBLIC_URL": "https://auth.example.org:8443"}, "PUBLIC_URL", "https://auth.example.org:8443"),
    ({"PUBLIC_URL": "https://auth.example.org/sso/", "CSRF_TRUSTED_ORIGINS": ""}, "CSRF_TRUSTED_ORIGINS", ["https://auth.example.org"]),
    ({"PUBLIC_URL": "https://auth.example.org/sso/"}, "FORCE_SCRIPT_NAME", "/sso"),
    ({"PUBLIC_URL": "https://auth.example.org/sso/"}, "STATIC_URL", "/sso/static/"),
    ({"PUBLIC_URL": "https://auth.example.org/"}, "FORCE_SCRIPT_NAME", None),
]  # fmt: skip


@pytest.mark.parametrize(("values", "setting", "expected"), WORKS)
def test_what_operators_write_works(values: dict[str, str], setting: str, expected: Any, load: Any) -> None:
    assert getattr(load(**values), setting) == expected


#: Variables, and what their problem says besides their name.
NAMED: list[tuple[dict[str, str], str]] = [
    ({"PUBLIC_URL": "auth.example.org"}, "https://host"),
    ({"PUBLIC_URL": "http://auth.example.org"}, "https://host"),
    ({"PUBLIC_URL": "https://auth.example.org?a=b"}, "https://host"),
    ({"PUBLIC_URL": "https://auth.example.org/#a"}, "https://host"),
    ({"PUBLIC_URL": "https://auth.example.org/a//b"}, "https://host"),
    ({"PUBLIC_URL": "https://auth.example.org/a/../b"}, "https://host"),
    ({"PUBLIC_URL": "https://auth.example.org/a%20b"}, "https://host"),
    ({"PUBLIC_URL": "https://auth.example.org/login"}, "own"),
    ({"PUBLIC_URL": "https://auth.example.org:port"}, "https://host"),
    ({"PUBLIC_URL": "https://a b"}, "https://host"),
    ({"PUBLIC_URL": "https://[::1"}, "https://host"),
    ({"PUBLIC_URL": f"https://user:{SECRET}@auth.example.org"}, "https://host"),
    ({"ALLOWED_HOSTS": "https://auth.example.org"}, "without a scheme"),
    ({"ALLOWED_HOSTS": "auth.example.org:443"}, "port"),
    ({"ALLOWED_HOSTS": "auth.example.org/"}, "path"),
    ({"ALLOWED_HOSTS": "*.example.org"}, ".example.org for all"),
    ({"ALLOWED_HOSTS": "auth.example.org www.example.org"}, "hosts"),
    ({"ALLOWED_HOSTS": "other.example.org"}, "host of PUBLIC_URL"),
    ({"CSRF_TRUSTED_ORIGINS": "app.example.org"}, "https://example.org"),
    ({"CSRF_TRUSTED_ORIGINS": "https://app.example.org/"}, "without a path"),
    ({"CORS_ALLOWED_ORIGINS": "https://app.example.org/path"}, "without a path"),
    ({"CORS_ALLOWED_ORIGINS": "*"}, "https://example.org"),
    ({"CORS_ALLOWED_ORIGINS": "https://*.example.org"}, "https://example.org"),
    ({"CORS_ALLOWED_ORIGINS": f"https://u:{SECRET}@app.example.org"}, "https://example.org"),
    ({"FIELD_KEYS": f"{SECRET}now"}, "id:base64url"),
    ({"FIELD_KEYS": f"now:{SECRET}"}, "32 bytes"),
    ({"FIELD_KEYS": f"now:{SECRET}" + "+/" * 17}, "base64url"),
    ({"FIELD_KEYS": f"now here:{key()}"}, "letters, digits"),
    ({"FIELD_KEYS": f"now:{key()},now:{key()}"}, "same id"),
    ({"SECRET_KEY": f"{SECRET}short"}, "50 characters"),
    ({"SECRET_KEY": f"{SECRET}{'x1y2z3' * 12}\nline"}, "line end"),
    ({"TRUSTED_PROXIES": "10.0.0.5/8"}, "write 10.0.0.0/8"),
    ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "10.0.0.0/33"),
    ({"TRUSTED_PROXIES": "10.0.0.0-10.0.0.9"}, "invalid network"),
    ({"TRUSTED_PROXIES": "proxy.internal"}, "invalid network"),
    ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "whole Internet"),
    ({"TRUSTED_PROXIES": "*"}, "invalid network"),
    ({"WEB_WORKERS": "0"}, "from 1 to 256"),
    ({"WEB_WORKERS": "-1"}, "from 1 to 256"),
    ({"WEB_WORKERS": "auto"}, "whole number"),
    ({"WEB_WORKERS": "9" * 5_000}, "whole number"),
    ({"WEB_THREADS": "0"}, "from 1 to 256"),
    ({"WEB_THREADS": "4.0"}, "whole number"),
    ({"EMAIL_PORT": "abc"}, "whole number"),
    ({"EMAIL_PORT": "0"}, "from 1 to 65535"),
    ({"EMAIL_PORT": "99999"}, "from 1 to 65535"),
    ({"EMAIL_HOST": "smtp.example.org:587"}, "without a scheme, port"),
    ({"EMAIL_HOST": f"smtp://u:{SECRET}@smtp.example.org"}, "without a scheme"),
    ({"DEFAULT_FROM_EMAIL": "Example"}, "auth@example.org"),
    ({"HSTS_SECONDS": "1 year"}, "whole number"),
    ({"HSTS_SECONDS": "-1"}, "whole number"),
    ({"DEBUG": "maybe"}, "true or false"),
    ({"LOG_LEVEL": "verbose"}, "one of INFO"),
    ({"AUTH_PROFILE": "highest"}, "one of default, high"),
    ({"REDIS_URL": f"redis+cluster://:{SECRET}@one"}, "Redis Cluster"),
    ({"REDIS_URL": f"redis://:{SECRET}#x@one"}, "%23"),
    ({"REDIS_SESSION_URL": f"cache:{SECRET}"}, "redis://"),
    ({"BROKER_URL": f"redis+cluster://:{SECRET}@one"}, "Redis Cluster"),
    ({"BROKER_URL": f"http://:{SECRET}@one"}, "amqp://"),
    ({"DATABASE_URL": f"mysql://app:{SECRET}@db/auth"}, "postgres://"),
    ({"GEOIP_PATH": "/no/such/file.mmdb"}, "no file"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "remedy"), NAMED)
def test_a_mistake_is_named_with_the_remedy_and_without_a_secret(
    values: dict[str, str], remedy: str, load: Any
) -> None:
    with pytest.raises(InvalidEnvironment) as refused:
        load(**values)

    message = str(refused.value)
    (name,) = values
    assert {problem.split()[0] for problem in refused.value.problems} == {name}
    assert remedy in message
    assert SECRET not in message
    assert len(message) < 1_000


def test_all_mistakes_are_in_one_message(load: Any) -> None:
    wrong = {name: value for values, _remedy in NAMED for name, value in values.items()}

    with pytest.raises(InvalidEnvironment) as refused:
        load(**wrong)

    assert {problem.split()[0] for problem in refused.value.problems} >= set(wrong) - {"ALLOWED_HOSTS"}
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read"), (b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe\x00", "cannot be read")],
)
def test_a_wrong_secret_file_is_named(content: bytes | None, problem: str, tmp_path: Path, load: Any) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidEnvironment, match=f"EMAIL_HOST_PASSWORD_FILE {problem}"):
        load(EMAIL_HOST_PASSWORD_FILE=str(file))


@pytest.mark.parametrize(
    "content", [f"{SECRET}x", f"{SECRET}x\n", f"{SECRET}x\r\n", f" {SECRET}x ", f"\ufeff{SECRET}x"]
)
def test_a_secret_file_may_end_in_a_line_end(content: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content.encode())

    assert Environment({"EMAIL_HOST_PASSWORD_FILE": f"{file} "}).text("EMAIL_HOST_PASSWORD") == f"{SECRET}x"


def test_a_folder_as_a_secret_file_is_named(tmp_path: Path) -> None:
    environment = Environment({"EMAIL_HOST_PASSWORD_FILE": str(tmp_path)})

    assert environment.text("EMAIL_HOST_PASSWORD") == ""
    assert len(environment.problems) == 1


def test_a_value_and_a_file_exclude_each_other(tmp_path: Path, load: Any) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}x")

    with pytest.raises(
        InvalidEnvironment, match="EMAIL_HOST_PASSWORD and EMAIL_HOST_PASSWORD_FILE are both set"
    ) as refused:
        load(EMAIL_HOST_PASSWORD=f"{SECRET}y", EMAIL_HOST_PASSWORD_FILE=str(file))

    assert SECRET not in str(refused.value)


#: A line of ``.env``, and its value. `docs/operators.md` has the same rows.
DOTENV = [
    ("EMAIL_HOST_PASSWORD=plain", "plain"),
    ("EMAIL_HOST_PASSWORD = plain ", "plain"),
    ("export EMAIL_HOST_PASSWORD=plain", "plain"),
    ("EMAIL_HOST_PASSWORD=a#b", "a#b"),
    ("EMAIL_HOST_PASSWORD=a #b", "a"),
    ("EMAIL_HOST_PASSWORD=a$b${c}$$d", "a$b${c}$$d"),
    ("EMAIL_HOST_PASSWORD='a #b $c \"d\"'", 'a #b $c "d"'),
    ("EMAIL_HOST_PASSWORD=\"a #b $c 'd'\"", "a #b $c 'd'"),
    ('EMAIL_HOST_PASSWORD="a\\"b\\\\c"', 'a"b\\c'),
    ("EMAIL_HOST_PASSWORD='a\\'b'", "a'b"),
    ("EMAIL_HOST_PASSWORD='a\\nb'", "a\\nb"),
    ("EMAIL_HOST_PASSWORD=a'b\"c", "a'b\"c"),
    ("EMAIL_HOST_PASSWORD=", ""),
    ("EMAIL_HOST_PASSWORD", ""),
    ("# EMAIL_HOST_PASSWORD=x", ""),
]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(("line", "value"), DOTENV)
def test_a_line_of_the_file_has_this_value(line: str, value: str, line_end: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(f"\ufeff# first{line_end}{line}{line_end}DB_NAME=next{line_end}".encode())

    environment = Environment({}, file=file)

    assert environment.text("EMAIL_HOST_PASSWORD") == value
    assert environment.text("DB_NAME") == "next"
    assert environment.problems == []


@pytest.mark.parametrize(
    "text", [f"EMAIL_HOST_PASSWORD='{SECRET}", f'EMAIL_HOST_PASSWORD="{SECRET}\nDB_NAME=x', f"'{SECRET}"]
)
def test_an_unreadable_line_is_named_without_its_content(text: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# first\n{text}\n")

    (problem,) = Environment({}, file=file).problems

    assert "line 2" in problem
    assert SECRET not in problem


@pytest.mark.parametrize("content", [b"\xff\xfeE\x00", None])
def test_an_unreadable_file_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)

    assert ["cannot be read" in problem for problem in Environment({}, file=file).problems] == [True]


@pytest.mark.parametrize(
    ("real", "value"),
    [
        ({}, "of the file"),
        ({"EMAIL_HOST_PASSWORD": "real"}, "real"),
        ({"EMAIL_HOST_PASSWORD": ""}, ""),
        ({"EMAIL_HOST_PASSWORD_FILE": "{path}"}, "of the path"),
    ],
)
def test_the_real_environment_replaces_the_file(real: dict[str, str], value: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("EMAIL_HOST_PASSWORD='of the file'\n")
    (tmp_path / "secret").write_text("of the path\n")
    variables = {name: text.format(path=tmp_path / "secret") for name, text in real.items()}

    environment = Environment(variables, file=tmp_path / ".env")

    assert environment.text("EMAIL_HOST_PASSWORD") == value
    assert environment.problems == []


def test_generated_secrets_mean_the_same_to_every_reader(tmp_path: Path) -> None:
    """Letters, digits, - and _ have no meaning in .env, compose, systemd, docker and the shell."""
    generated = [*development_keys(tmp_path).values(), key()]

    assert all(
        character.isascii() and (character.isalnum() or character in "-_") for text in generated for character in text
    )
    assert "urlsafe_b64encode" in RECIPE


def test_the_reserved_paths_are_those_of_the_service() -> None:
    first_parts = {part for part in map(_first_part, _routes()) if part}

    assert first_parts <= public_url.RESERVED
    assert "<" not in "".join(first_parts)


def _routes() -> list[str]:
    found = []

    def walk(patterns: Any, before: str) -> None:
        for pattern in patterns:
            route = f"{before}{pattern.pattern}"
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                found.append(route)

    walk(get_resolver().url_patterns, "")
    return found


def _first_part(route: str) -> str:
    return route.lstrip("^/").split("/")[0]


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/sso/login/", "/login/"),
        ("/login/", "/login/"),
        ("/sso", "/"),
        ("/sso/", "/"),
        ("/ssoo/", "/ssoo/"),
        ("", ""),
        ("/", "/"),
    ],
)
def test_a_proxy_may_remove_the_prefix_or_pass_it_on(path: str, inside: str) -> None:
    assert public_url.without_prefix(path, "/sso") == inside
    assert public_url.without_prefix(path, "") == path
