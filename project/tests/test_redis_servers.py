"""Redis over TLS, behind Sentinel and as a cluster: the shared cache, Django's cache and Celery's broker."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.cache import caches
from kombu import Connection

from auth_core.runtime.redis_cache import CacheLost, SharedCache
from auth_core.runtime.redis_urls import pool_of, problem_of
from auth_core.testing.redis import OwnRedis
from enterprise_auth.core import setup_report
from enterprise_auth.core.redis_servers import broker_problem, broker_settings
from live.service import free_port

PASSWORD = "s3cret/with?all#of@them"
ESCAPED = "s3cret%2Fwith%3Fall%23of%40them"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: Any) -> Path:
    """A self-made certificate for 127.0.0.1 with its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "redis.pem"
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, *private)
    )
    return path


def tls_options(certificate: Path) -> list[str]:
    files = ("--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file")
    return [part for name in files for part in (name, str(certificate))] + ["--tls-auth-clients", "no"]


@pytest.fixture(scope="module")
def tls_port(certificate: Path) -> Iterator[int]:
    """The port of a server with TLS and a password."""
    port = free_port()
    options = ["--tls-port", str(port), "--bind", "127.0.0.1", *tls_options(certificate), "--requirepass", PASSWORD]
    with UnlockedRedis(*options):
        yield port


class UnlockedRedis(OwnRedis):
    """A server with a password."""

    def __init__(self, *options: str) -> None:
        super().__init__(*options)
        self.client = redis.Redis.from_url(self.url, password=PASSWORD)


@pytest.fixture(scope="module")
def sentinel_port(certificate: Path, tmp_path_factory: Any) -> Iterator[int]:
    """The port of a Sentinel that knows a master with a password, both with TLS."""
    master, port, folder = free_port(), free_port(), tmp_path_factory.mktemp("sentinel")
    tls = tls_options(certificate)
    options = ["--tls-port", str(master), "--bind", "127.0.0.1", *tls]
    with UnlockedRedis(*options, "--requirepass", PASSWORD):
        lines = [" ".join(pair) for pair in zip([name[2:] for name in tls[::2]], tls[1::2], strict=True)]
        (folder / "sentinel.conf").write_text(
            "\n".join([
                "port 0", f"tls-port {port}", "bind 127.0.0.1", f"dir {folder}", "tls-replication yes", *lines,
                f"sentinel monitor main 127.0.0.1 {master} 1", f"sentinel auth-pass main {PASSWORD}",
            ])
        )  # fmt: skip
        process = subprocess.Popen(
            ["redis-server", str(folder / "sentinel.conf"), "--sentinel"], stdout=subprocess.DEVNULL
        )
        try:
            client = redis.Redis(host="127.0.0.1", port=port, ssl=True, ssl_ca_certs=str(certificate))
            for _attempt in range(600):
                if responds(client):
                    break
            client.close()
            yield port
        finally:
            process.kill()
            process.wait()


def responds(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


@pytest.fixture(params=["tls", "sentinel"])
def url(request: Any, certificate: Path) -> str:
    port = request.getfixturevalue(f"{request.param}_port")
    if request.param == "tls":
        return f"rediss://:{ESCAPED}@127.0.0.1:{port}/0?ssl_ca_certs={certificate}"
    return f"rediss+sentinel://:{ESCAPED}@127.0.0.1:{port},127.0.0.1:1/main/0?ssl_ca_certs={certificate}"


@pytest.fixture(autouse=True)
def patient(settings: Any) -> None:
    """Allow for a busy machine."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_TIMEOUT": timedelta(seconds=10)}


def test_the_shared_cache_uses_it(url: str) -> None:
    cache = SharedCache(url)

    cache.put("key", b"value", ttl=timedelta(minutes=1))

    assert cache.lookup("key").value == b"value"
    assert cache.server().is_master
    assert len(cache.answered_by) == 40


def test_a_certificate_of_another_authority_is_refused(url: str) -> None:
    cache = SharedCache(url.partition("?")[0])

    with pytest.raises(CacheLost):
        cache.ping()


def test_the_cache_of_django_uses_it(url: str, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": [url],
            "OPTIONS": {
                "CONNECTION_FACTORY": "enterprise_auth.core.redis_servers.CacheConnectionFactory",
                "SOCKET_TIMEOUT": 10,
                "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            },
        }
    }

    caches["default"].set("key", {"a": 1}, 60)

    assert caches["default"].get("key") == {"a": 1}
    caches["default"].close()


def test_celery_uses_it(url: str) -> None:
    app = Celery("test", set_as_current=False)
    app.config_from_object(broker_settings(url), namespace="CELERY")

    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=0, timeout=20)
        queue = broker.SimpleQueue("tests")
        queue.put({"a": 1})
        message = queue.get(timeout=20)
        message.ack()
        queue.close()

    assert message.payload == {"a": 1}


def test_the_report_pings_it(url: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": url}

    finding = setup_report.PROBES["cache"]()

    assert (finding.status, finding.message) == ("ok", "Redis responds")


def test_the_report_names_a_cluster(settings: Any) -> None:
    with OwnRedis("--cluster-enabled", "yes") as server:
        settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": server.url}

        finding = setup_report.PROBES["cache"]()

    assert finding.status == "error"
    assert "cluster" in finding.message.lower()
    assert "Sentinel" in finding.remedy


GOOD = [
    "redis://cache", "redis://cache:6379/0", "rediss://user:a%2Fb@cache:6380/1?ssl_ca_certs=/etc/ssl/ca.pem",
    "unix:///run/redis.sock", "unix:///run/redis.sock?db=1", "redis://[::1]:6379/0",
    "redis+sentinel://one:26379,two/main", "rediss+sentinel://u:p@one,two:1,[::1]:2/main/3?sentinel_password=x",
]  # fmt: skip
BAD = [
    "cache:6379", "http://hunter22@cache", "redis://", "redis://:hunter22#x@cache/0", "redis://:hunter/22@cache:1/0",
    "redis://:hunter?22@cache", "redis://cache:hunter22", "redis://cache:0", "redis://cache:99999", "redis://cache/hunter22",
    "redis+sentinel://one:26379", "redis+sentinel://:hunter22@/main", "redis+sentinel://one:hunter22/main",
    "redis+sentinel://one/main/hunter22", "redis+cluster://:hunter22@one", "rediss+cluster://:hunter22@one", "unix://",
]  # fmt: skip


@pytest.mark.parametrize("good", GOOD)
def test_a_good_url_has_no_problem(good: str) -> None:
    assert problem_of(good) == broker_problem(good) == ""
    assert pool_of(good)
    assert broker_settings(good)["CELERY_BROKER_URL"]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_url_is_named_without_its_secret(bad: str) -> None:
    problems = [problem_of(bad), broker_problem(bad)]

    assert all(problems)
    assert not any("hunter" in problem or "22" in problem for problem in problems)
    if "cluster" in bad:
        assert all("Redis Cluster" in problem for problem in problems)
    with pytest.raises(ValueError, match=r"\w"):
        pool_of(bad)


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix:///run/redis.sock?virtual_host=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
    ],
)
def test_a_broker_on_a_unix_socket_is_redis(url: str, socket: str) -> None:
    assert broker_problem(url) == ""
    assert broker_settings(url) == {"CELERY_BROKER_URL": socket}
    assert Connection(socket).transport.driver_type == "redis"


@pytest.mark.parametrize("other", ["amqp://u:p@rabbit//", "amqps://rabbit", "sqs://"])
def test_other_brokers_are_left_as_they_are(other: str) -> None:
    assert broker_problem(other) == ""
    assert broker_settings(other) == {"CELERY_BROKER_URL": other}


def test_a_url_of_kombu_for_sentinel_is_named() -> None:
    assert "redis+sentinel://" in broker_problem("sentinel://hunter22@one:26379")
