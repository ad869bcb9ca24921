"""Production settings: refused environments, headers and cookies."""

import base64
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auth_core.crypto.weak_keys import RECIPE, weakness_of
from enterprise_auth.core import processors
from enterprise_auth.env import VARIABLES, Environment, InvalidEnvironment, example

ROOT = Path(__file__).resolve().parents[2]
FIELD_KEY = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
GOOD = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "FIELD_KEYS": f"now:{FIELD_KEY}",
    "PUBLIC_URL": "https://auth.example.org",
    "ALLOWED_HOSTS": "auth.example.org",
    "DATABASE_URL": "postgres://postgres@127.0.0.1:1/nowhere",
}


def manage(*arguments: str, **environment: str) -> Any:
    """Run manage.py on production settings in a separate environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:enterprise_auth", "project/manage.py", *arguments],
        cwd=ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.production", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.asvs("13.4.2")
def test_a_good_environment_starts_and_passes_the_deployment_checks() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **GOOD, REDIS_URL="redis://127.0.0.1:1/0")

    assert done.returncode == 0, done.stderr


def test_all_problems_are_in_one_message() -> None:
    done = manage("check", DEBUG="true", SECRET_KEY="django-insecure-x", ALLOWED_HOSTS="*", TRUSTED_PROXIES="0.0.0.0/0")

    for name in ("SECRET_KEY", "FIELD_KEYS", "PUBLIC_URL", "ALLOWED_HOSTS", "DEBUG", "DATABASE_URL", "TRUSTED_PROXIES"):
        assert f"- {name} " in done.stderr, name
    assert done.returncode != 0
    assert "django-insecure-x" not in done.stderr


FIELD_KEY_FIRST = f"now:{FIELD_KEY},"


def encoded(key: bytes) -> str:
    """Return *key* as in the environment."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


#: Zeros, one byte, a block, a sequence, the keys of the tests, a sentence, and the secret key.
WEAK = [
    encoded(bytes(32)),
    encoded(b"\xff" * 32),
    encoded(b"\x01\x02\x03\x04" * 8),
    encoded(secrets.token_bytes(16) * 2),
    encoded(bytes(range(32))),
    "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI",
    "b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLTMyMzI",
    encoded(b"Correct horse battery staple, 42"),
    encoded(GOOD["SECRET_KEY"].encode()[:32]),
]

FAULTS = {
    "SECRET_KEY": ["", "short", "a" * 64, "0123456789" * 6, "django-insecure-" + "abcdefghijklmnop" * 4],
    "FIELD_KEYS": [
        "",
        "nocolon",
        "now:short",
        f"{FIELD_KEY}",
        *(f"now:{key}" for key in WEAK),
        f"{FIELD_KEY_FIRST}old:{WEAK[0]}",
    ],
    "AUDIT_SIGNING_KEYS": ["now:short", f"now:{WEAK[0]}", f"now:{FIELD_KEY}"],
    "PUBLIC_URL": ["", "http://auth.example.org", "https://auth.example.org/login/", "auth.example.org"],
    "ALLOWED_HOSTS": ["", "*", "auth.example.org,*"],
    "DATABASE_URL": ["", "sqlite:///x", "postgres://host"],
    "DEBUG": ["true", "perhaps"],
    "SECRET_KEY_FALLBACKS": ["short"],
    "TRUSTED_PROXIES": ["proxy", "::/0"],
    "DB_POOLER": ["session"],
    "LOG_FORMAT": ["colourful"],
    "WEB_THREADS": ["many"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FAULTS.items() for value in values])
def test_one_fault_stops_the_start(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for good, setting in {**GOOD, name: value}.items():
        monkeypatch.setenv(good, setting)
    for module in ("enterprise_auth.settings.production", "enterprise_auth.settings.base"):
        monkeypatch.delitem(sys.modules, module, raising=False)

    with pytest.raises(InvalidEnvironment, match=name) as refused:
        __import__("enterprise_auth.settings.production")

    assert len(refused.value.problems) >= 1
    assert not value or len(value) < 20 or value not in str(refused.value)


def test_a_weak_key_is_named_and_never_shown() -> None:
    done = manage("check", **{**GOOD, "FIELD_KEYS": f"now:{FIELD_KEY},old:{WEAK[0]}"})

    assert done.returncode != 0
    assert "FIELD_KEYS contains a weak key, 'old': it is repetitive. Generate one: python -c" in done.stderr
    assert WEAK[0] not in done.stderr


def test_the_recipe_generates_good_keys() -> None:
    made = subprocess.run(["/bin/sh", "-c", RECIPE], capture_output=True, text=True, check=True).stdout.strip()

    assert len(made) == 43
    assert weakness_of(made) == ""


def settings_of(script: str, **environment: str) -> Any:
    """Run *script* on production settings and return its JSON output."""
    done = subprocess.run(
        [sys.executable, "-c", f"import django, json; django.setup(); {script}"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.production",
            **GOOD,
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("threads", [1, 2, 4, 8])
def test_password_hashes_leave_one_thread_of_each_worker_free(threads: int) -> None:
    slots, queue = hash_slots(WEB_THREADS=str(threads), WEB_WORKERS="1", WEB_LOGIN_THREADS="2")
    assert slots == max(1, min(2, threads - 1, processors.available()))
    assert queue == max(0, threads - 1 - slots)


def test_workers_hash_no_more_passwords_at_once_than_there_are_processors() -> None:
    many = processors.available() * 2
    assert hash_slots(WEB_THREADS=str(many + 1), WEB_WORKERS=str(many), WEB_LOGIN_THREADS=str(many))[0] == 1
    assert hash_slots(WEB_THREADS=str(many + 1), WEB_WORKERS="1", WEB_LOGIN_THREADS=str(many))[0] == many // 2


def hash_slots(**environment: str) -> list[int]:
    """Return the hashes that may run at once in a worker, and those that may wait in its threads."""
    script = "from auth_core.conf import core; print(json.dumps([core.MAX_PARALLEL_HASHES, core.HASH_QUEUE]))"
    slots: list[int] = settings_of(script, **environment)
    return slots


SCRIPT = """
from django.test import Client
from django.conf import settings
c = Client(enforce_csrf_checks=True)
r = c.get('/api/v1/csrf/', secure=True, headers={'host': 'auth.example.org'})
plain = c.get('/api/v1/csrf/', headers={'host': 'auth.example.org'})
evil = c.get('/api/v1/csrf/', secure=True, headers={'host': 'evil.example'})
health = c.get('/health/', headers={'host': '10.0.0.7'})
post = c.post('/health/', headers={'host': '10.0.0.7'})
print(json.dumps({
  'headers': dict(r.headers), 'cookies': {n: str(m) for n, m in r.cookies.items()},
  'session': [settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE],
  'plain': [plain.status_code, plain.headers.get('Location')], 'evil': [evil.status_code, evil.headers['Content-Type']],
  'health': [health.status_code, health.json()], 'post': post.status_code,
}))
"""


@pytest.fixture(scope="module")
def served() -> Any:
    return settings_of(f"exec({SCRIPT!r})")


@pytest.mark.asvs("3.4.1")
@pytest.mark.asvs("3.4.3")
@pytest.mark.asvs("3.4.6")
def test_security_headers_are_set(served: Any) -> None:
    headers = served["headers"]

    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    policy = headers["Content-Security-Policy"]
    for directive in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Request-ID"]


@pytest.mark.asvs("3.3.1")
@pytest.mark.asvs("3.3.2")
@pytest.mark.asvs("3.3.3")
@pytest.mark.asvs("3.3.4")
def test_cookies_are_host_only_and_httponly(served: Any) -> None:
    cookie = served["cookies"]["__Host-csrf"]

    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie
    assert served["session"] == ["__Host-session", True, True, "Lax"]


def test_http_redirects_to_https_and_other_hosts_are_refused(served: Any) -> None:
    assert served["plain"] == [301, "https://auth.example.org/api/v1/csrf/"]
    assert served["evil"] == [400, "application/problem+json"]


def test_health_is_answered_before_the_host_check_and_the_redirect(served: Any) -> None:
    assert served["health"] == [200, {"status": "ok"}]
    assert served["post"] == 405


def test_development_serves_its_pages() -> None:
    script = (
        "import django; django.setup(); from django.test import Client; c = Client();"
        "print([c.get(p).status_code for p in ('/api/docs/', '/api/schema/', '/health/', '/admin/')])"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.development"}

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[200, 200, 200, 302]"


def test_a_file_may_hold_the_value(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-the-file\n")

    assert Environment({"SECRET_KEY_FILE": str(file)}).text("SECRET_KEY") == "from-the-file"


def test_a_missing_file_is_a_problem() -> None:
    env = Environment({"SECRET_KEY_FILE": "/no/such/file"})

    env.text("SECRET_KEY")

    with pytest.raises(InvalidEnvironment, match="SECRET_KEY_FILE"):
        env.seal()


def test_the_example_names_every_variable() -> None:
    text = example()

    assert all(f"\n{name}=" in text for name in VARIABLES)
    assert all(variable.meaning.endswith(".") for variable in VARIABLES.values())
    assert (ROOT / ".env.example").read_text() == text


def test_the_sealer_may_have_its_own_key() -> None:
    key = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    script = "from auth_audit.conf import audit; print(json.dumps(list(audit.SIGNING_KEYS)))"

    assert settings_of(script, AUDIT_SIGNING_KEYS=f"2026-11:{key}") == ["2026-11"]
    refused = manage("check", **{**GOOD, "AUDIT_SIGNING_KEYS": "no key"})
    assert refused.returncode != 0
    assert "AUDIT_SIGNING_KEYS" in refused.stderr
