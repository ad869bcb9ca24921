"""The Dockerfile, docker-compose.yml and ``./dev secrets``. ``./dev image`` also builds and runs them."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from env_file import new_secrets, write_secrets
from image import host
from image.compose import MissingVariable, interpolated, read_compose, variable_names
from image.dockerfile import context_files, read_stages

ROOT = Path(__file__).parents[2]
COMPOSE = read_compose(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
DOCKERFILE = ROOT / "project/Dockerfile"

#: Containers that end by themselves.
ONCE = {"migrate", "certificate"}

#: A tag that names a release, not `latest`.
PINNED = re.compile(r"[a-z]+:\d+\.?\d*-[a-z]+(-[a-z]+)?")


def known_variables() -> set[str]:
    text = (ROOT / ".env.example").read_text()
    names = set(re.findall(r"(?m)^([A-Z_]+)=", text))
    return names | {f"{name}_FILE" for name in names}


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"

    checked = subprocess.run([hadolint, DOCKERFILE], check=False, capture_output=True, text=True)

    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_compose_file_follows_the_compose_specification() -> None:
    flat = {key: value for key, value in COMPOSE.items() if not key.startswith("x-")}
    text = yaml.safe_dump(flat)

    PyCompose.from_yaml(text)
    with pytest.raises(ValueError, match="cap_dorp"):
        PyCompose.from_yaml(text.replace("cap_drop", "cap_dorp"))


def test_the_service_reads_every_variable_of_the_compose_file() -> None:
    environment = set().union(*(SERVICES[name]["environment"] for name in OURS))

    assert environment - known_variables() == set()
    assert variable_names(COMPOSE) - known_variables() == set()


def test_only_secrets_are_required_and_all_are_generated() -> None:
    with pytest.raises(MissingVariable, match=r"DB_PASSWORD is missing\. Run \./dev secrets"):
        interpolated(COMPOSE, {})
    complete = interpolated(SERVICES, new_secrets())

    assert complete["web"]["environment"]["DB_PASSWORD"] == complete["database"]["environment"]["POSTGRES_PASSWORD"]
    assert complete["web"]["environment"]["PUBLIC_URL"] == "https://localhost:8443"


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_has_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    user = service.get("user") or read_stages(DOCKERFILE)[-1].user

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(user.partition(":")[0]) > 0
    assert not {"privileged", "cap_add", "pid", "ipc"} & set(service)
    assert "build" in service or PINNED.fullmatch(service["image"])


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_every_lasting_container_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


def test_only_the_proxy_is_reachable_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["backend"]["internal"] is True
    for name in ("database", "redis"):
        assert SERVICES[name]["networks"] == ["backend"]


def test_the_proxy_is_trusted_by_its_network() -> None:
    subnet = COMPOSE["networks"]["frontend"]["ipam"]["config"][0]["subnet"]

    assert {SERVICES[name]["environment"]["TRUSTED_PROXIES"] for name in OURS} == {subnet}
    assert [name for name, service in SERVICES.items() if "frontend" in service.get("networks", [])] == ["web", "proxy"]


def test_the_image_has_pinned_bases_and_no_root() -> None:
    stages = read_stages(DOCKERFILE)

    assert all(PINNED.fullmatch(stage.base) for stage in stages)
    assert [stage.user for stage in stages] == ["", "10001:10001"]
    installs = [step.text for stage in stages for step in stage.steps if "pip install" in step.text]
    assert all("--require-hashes" in text or "--no-index" in text for text in installs)


def test_only_the_hash_of_passwords_is_compiled_and_for_a_processor_that_the_operator_chooses() -> None:
    build = read_stages(DOCKERFILE)[0]
    wheels = [step.text for step in build.steps if step.name == "RUN" and "pip wheel" in step.text]

    [downloaded] = [text for text in wheels if "constraints/image.txt" in text]
    assert re.findall(r"--no-binary (\S+)", downloaded) == ["argon2-cffi-bindings"]
    assert "--only-binary :all:" in downloaded
    assert "--require-hashes" in downloaded
    assert 'CFLAGS="$ARGON2_CFLAGS"' in downloaded
    assert [step.text for step in build.steps if step.name == "ARG"] == ['ARGON2_CFLAGS="-O3 -mavx2"']


def test_the_image_holds_no_test_and_no_secret() -> None:
    names = ["project/manage.py", "packages/mfa/src/auth_mfa/oath.py", "constraints/image.txt"]
    hidden = [".env", "project/.env", "project/tests/conftest.py", "packages/mfa/tests/conftest.py", "README.md",
              ".git/config", "var/development-keys.json", "project/enterprise_auth/__pycache__/env.pyc"]  # fmt: skip

    assert context_files(ROOT, [*hidden, *names]) == names


@pytest.mark.parametrize("name", ["image", "image-build"])
def test_the_pins_of_the_image_have_hashes_and_no_index(name: str) -> None:
    text = (ROOT / f"constraints/{name}.txt").read_text()
    pins = re.findall(r"(?m)^[a-z0-9][^=\s]*==", text)

    assert len(pins) > 4
    assert len(re.findall(r"(?m)^[a-z0-9].*\\\n    --hash=sha256:", text)) == len(pins)
    assert "://" not in text


def test_the_image_has_the_versions_that_the_tests_ran_with() -> None:
    pinned = {name: set(re.findall(r"(?m)^([a-z0-9][^=\s]*==\S+)", (ROOT / f"constraints/{name}.txt").read_text()))
              for name in ("image", "django-6.1")}  # fmt: skip

    assert pinned["image"] - pinned["django-6.1"] == set()


def test_the_secrets_are_private_random_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / ".env"

    write_secrets(path)
    written = path.read_text()
    with pytest.raises(FileExistsError):
        write_secrets(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == written
    assert not set(new_secrets().values()) & set(new_secrets().values())


def test_everything_that_this_machine_lacks_is_named_before_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(host, "_POSTGRESQL", tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: 1000)

    missing = [part.partition(",")[0] for part in host.missing_parts()]

    assert missing == [
        "root",
        "nginx",
        "redis-server",
        "ip",
        "cc",
        "unshare",
        "nsenter",
        "setpriv",
        "python3.13",
        "postgres",
    ]


def test_the_run_ends_with_the_names_of_what_is_missing(tmp_path: Path) -> None:
    nowhere = {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}

    run = subprocess.run(
        [sys.executable, "-m", "image"], cwd=ROOT / "tools", env=nowhere, check=False, capture_output=True, text=True
    )

    assert (run.returncode, run.stdout) == (1, "")
    assert "  nginx, of the package nginx\n" in run.stderr
    assert "Traceback" not in run.stderr


def test_this_machine_needs_the_python_of_the_image() -> None:
    assert {stage.base.partition("-")[0] for stage in read_stages(DOCKERFILE)} == {f"python:{host.PYTHON}"}
