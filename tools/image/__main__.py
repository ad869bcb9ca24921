"""``./dev image``: build the image and run the services of docker-compose.yml without a container engine.

The steps of project/Dockerfile and the commands of docker-compose.yml run as they are written: with production settings,
as their users, without capabilities, on a read-only file system, in a network of their own. This machine replaces the
base images. What it needs is in ``host``, and what is missing is named before anything is built. PostgreSQL is started by
its own programs, not by those of its image.
"""

import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from env_file import write_secrets
from image.build import BuildFailed, Image, build
from image.compose import interpolated, read_compose
from image.containers import ContainerFailed, Containers
from image.host import find_postgresql, missing_parts

ROOT = Path(__file__).resolve().parents[2]

#: The addresses of the services in the network of the run. That of web is in TRUSTED_PROXIES, as in the compose file.
_WEB = "172.30.77.2"
_ADDRESSES = {"database": "127.0.0.1", "redis": "127.0.0.1", "web": _WEB}

#: The command that runs this module.
_THIS = [sys.executable, "-m", "image"]

_PASSWORD = "a long passphrase of a person"  # noqa: S105 - of an account that exists during the run

#: What an intruder in a container would try first.
_INTRUSION = """
import os, sys
status = open("/proc/self/status").read()
assert os.getuid() == 10001, os.getuid()
assert "CapEff:\\t0000000000000000" in status and "CapBnd:\\t0000000000000000" in status, status
assert "NoNewPrivs:\\t1" in status, status
for path in ("/app/project/enterprise_auth/planted.py", "/opt/venv/planted", "/etc/planted", "/planted"):
    try:
        open(path, "w")
    except OSError:
        continue
    sys.exit(f"{path} is writable")
"""


def main() -> int:
    """Build, then run in another network namespace. Return the exit status."""
    if sys.argv[1:2] == ["--build"]:
        return _build_and_run(Path(sys.argv[2]))
    if sys.argv[1:2] == ["--run"]:
        return _run(Path(sys.argv[2]))
    if missing := missing_parts():
        print("./dev image runs on this machine's own programs. It lacks:", *missing, sep="\n  ", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        # Layers must not be in the file system that they lie upon, so they are kept in memory.
        script = f'mount -t tmpfs -o mode=0755 tmpfs {folder} && exec "$@"'
        command = ["unshare", "--mount", "sh", "-euc", script, "image", *_THIS, "--build", folder]
        return subprocess.run(command, cwd=ROOT / "tools", check=False).returncode


def _build_and_run(scratch: Path) -> int:
    began = time.monotonic()
    try:
        image = build(ROOT, scratch)
    except BuildFailed as failure:
        print(f"=== The image was not built: {failure}", file=sys.stderr)
        return 1
    size = subprocess.run(["du", "-sm", image.layers[0]], check=True, capture_output=True, text=True).stdout.split()[0]
    print(f"=== built in {time.monotonic() - began:.0f} s: {size} MB on top of the base image", flush=True)
    stored = {"layers": list(map(str, image.layers)), "environment": image.environment, "folder": image.folder,
              "user": image.user, "command": image.command}  # fmt: skip
    (scratch / "image.json").write_text(json.dumps(stored))
    return subprocess.run(["unshare", "--net", *_THIS, "--run", scratch], cwd=ROOT / "tools", check=False).returncode


def _run(scratch: Path) -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", f"{_WEB}/24", "dev", "lo"], check=True)
    stored = json.loads((scratch / "image.json").read_text())
    image = Image(**{**stored, "layers": list(map(Path, stored["layers"]))})
    write_secrets(scratch / ".env")
    lines = (scratch / ".env").read_text().splitlines()
    secrets = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    services = interpolated(read_compose(ROOT / "docker-compose.yml"), secrets)["services"]
    containers = Containers(services, image, secrets, root=ROOT, scratch=scratch, addresses=_ADDRESSES)
    with _postgresql(scratch, services["database"]["environment"]):
        try:
            _start_all(containers, scratch, image)
            _check_all(containers, scratch, services)
        except (ContainerFailed, AssertionError) as failure:
            print(f"=== FAILED: {failure}", file=sys.stderr)
            return 1
        finally:
            _report("stopped", statuses := containers.stop())
    return 1 if any(statuses.values()) else 0


def _start_all(containers: Containers, scratch: Path, image: Image) -> None:
    """Start the services in the order of their dependencies."""
    certificates = scratch / "volumes" / "tls"
    certificates.mkdir(parents=True)
    # A new volume gets the owner of the folder in the image.
    owner = (image.layers[0] / "tls").stat()
    os.chown(certificates, owner.st_uid, owner.st_gid)
    certificates.chmod(owner.st_mode & 0o777)
    containers.start("redis")
    for name in ("database", "redis"):
        containers.wait_until_healthy(name)
        _report("healthy", name)
    for name in ("migrate", "certificate"):
        containers.run(name)
        _report("completed", name, containers.log(name).strip().splitlines()[-1:])
    for name in ("web", "worker", "beat"):
        containers.start(name)
    for name in ("web", "worker", "beat"):
        containers.wait_until_healthy(name)
        _report("healthy", name)
    _report(
        "nginx -t", containers.execute("proxy", "nginx", "-t", "-c", "/etc/nginx/nginx.conf").strip().splitlines()[-1]
    )
    containers.start("proxy")
    containers.wait_until_healthy("proxy")
    _report("healthy", "proxy")


def _check_all(containers: Containers, scratch: Path, services: dict[str, Any]) -> None:
    """Use the service as its people do, through the proxy.

    Raises:
        AssertionError: an answer is not as expected.
    """
    url = services["web"]["environment"]["PUBLIC_URL"]
    certificate = scratch / "volumes/tls/fullchain.pem"
    status, body = _get(f"{url}/ready/", certificate)
    _report(f"GET {url}/ready/", status, body)
    _expect(status == 200 and json.loads(body)["status"] == "ok", body)  # noqa: PLR2004 - HTTP's own number
    status, page = _get(f"{url}/", certificate)
    _expect(status == 200 and "/static/auth_core/auth." in page, page)  # noqa: PLR2004 - as above
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    _report(f"GET {url}{style}", _get(f"{url}{style}", certificate)[0])
    link = containers.execute("web", "python", "manage.py", "bootstrap_link").strip().splitlines()[-1]
    _expect(link.startswith(f"{url}/setup/"), link)
    _report("manage.py bootstrap_link", link.rpartition("/setup/")[0] + "/setup/…")
    _expect(_get(link, certificate)[0] == 200, link)  # noqa: PLR2004 - as above
    create = f"echo '{_PASSWORD}' | python manage.py create_user --email you@example.org --verified"
    containers.execute("web", "sh", "-c", create)
    login = {"identifier": "you@example.org", "password": _PASSWORD, "transport": "token"}
    granted = json.loads(_get(f"{url}/api/v1/login/", certificate, login)[1])
    _expect(granted["credential"].startswith("eas_"), "login/ returns no credential")
    _report(f"POST {url}/api/v1/login/", granted["status"])
    for name in ("web", "worker", "beat"):
        containers.execute(name, "python", "-c", _INTRUSION)
        _report("no capability, nothing writable", name)
    deadline = time.monotonic() + 60
    while "auth_audit.seal" not in containers.log("worker") and time.monotonic() < deadline:
        time.sleep(1)
    _expect("succeeded" in containers.log("worker"), containers.log("worker") + containers.log("beat"))
    _report("a task of beat ran in the worker", "auth_audit.seal")
    # There is no mail server, and a probe that reports an error ends with status 1.
    text = containers.execute("web", "sh", "-c", "python manage.py check_setup --json || test $? = 1")
    wrong = [row["part"] for row in json.loads(text) if row["status"] != "ok"]
    _report("manage.py check_setup", "all ok without a mail server" if wrong == ["mail"] else wrong)
    _expect(wrong == ["mail"], text)


@contextmanager
def _postgresql(scratch: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run PostgreSQL with the database, the user and the password of the compose file."""
    programs = find_postgresql()
    if programs is None:
        raise ContainerFailed("PostgreSQL was not found")
    data, password = scratch / "postgresql", scratch / "password"
    password.write_text(environment["POSTGRES_PASSWORD"])
    data.mkdir()
    subprocess.run(["chown", "postgres", data, password], check=True)
    user = environment["POSTGRES_USER"]
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    prepare = [str(programs / "initdb"), "-D", str(data), "-U", user, f"--pwfile={password}", "--auth=scram-sha-256"]
    subprocess.run([*as_postgres, *prepare], check=True, stdout=subprocess.DEVNULL, cwd=data)
    server = subprocess.Popen(
        [*as_postgres, programs / "postgres", "-D", data, "-k", data], stderr=subprocess.DEVNULL, cwd=data
    )
    try:
        create = [str(programs / "createdb"), "-h", "127.0.0.1", "-U", user, environment["POSTGRES_DB"]]
        deadline = time.monotonic() + 30
        while subprocess.run(create, env={"PGPASSWORD": environment["POSTGRES_PASSWORD"]}, check=False,
                             stderr=subprocess.DEVNULL).returncode != 0:  # fmt: skip
            _expect(time.monotonic() < deadline, "PostgreSQL did not start")
            time.sleep(0.3)
        yield
    finally:
        # Does not wait for clients.
        server.send_signal(signal.SIGINT)
        server.wait(30)


def _get(url: str, certificate: Path, body: dict[str, str] | None = None) -> tuple[int, str]:
    """Return the status and the text of an answer, to a POST if there is a *body*.

    The certificate of the proxy must be *certificate*.
    """
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"} if data else {})  # noqa: S310 - https of the compose file
    secure = HTTPSHandler(context=ssl.create_default_context(cafile=str(certificate)))
    with build_opener(ProxyHandler({}), secure).open(request, timeout=30) as answer:
        return answer.status, answer.read().decode()


def _expect(is_true: bool, message: str) -> None:
    if not is_true:
        raise AssertionError(message)


def _report(*parts: object) -> None:
    print("===", *parts, flush=True)


if __name__ == "__main__":
    sys.exit(main())
