"""openid-client, unchanged, on a device: with a key of its own and without, against the running service."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auth_core.testing.factories import PASSWORD
from live.chromium import Window
from live.service import Service
from oauth_clients.installation import node, node_with_clients
from oauth_clients.keys import ClientKey
from oauth_clients.processes import inherited
from oauth_clients.sites import Guide

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]


class Device:
    """A program that waits for the person."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.asked = self._line()

    def answer(self) -> dict[str, Any]:
        """Return what it got in the end."""
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the program ended"
        values: dict[str, Any] = json.loads(line)
        return values


@contextmanager
def device(service: Service, folder: Path, *, signs: bool) -> Iterator[Device]:
    """Register an application of a device, and run it."""
    key = ClientKey(folder)
    command = Guide(issuer=service.url, port=0).registration("sh register-device")
    if signs:
        command.remove("--public")
        command += ["--jwks-file", str(key.file), "--require-dpop", "--id-token-algorithm", "ES256"]
    made = json.loads(service.manage(*command, "--json"))
    for script in ("device.mjs", "keys.mjs"):
        shutil.copy(Path(__file__).parent / "node" / script, folder)
    (folder / "node_modules").symlink_to(node_with_clients() / "node_modules")
    own = {"ISSUER": service.url, "CLIENT_ID": made["client_id"], "NODE_EXTRA_CA_CERTS": str(service.certificate)}
    own |= {"KEY": key.private} if signs else {}
    with subprocess.Popen(
        [*node(), "device.mjs"], cwd=folder, env={**inherited(), **own}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Device(process)
        finally:
            process.kill()


def open_link(window: Window, email: str, television: Device) -> None:
    """Follow the link of a device, sign in, and enter the code that is in the form."""
    window.open(television.asked["verification_uri_complete"])
    assert window.path == "/login/"
    window.fill(identifier=email, password=PASSWORD)
    window.press("Sign in")
    assert window.title == "Connect a device"
    window.look("device")
    assert window.page.locator('[name="user_code"]').input_value() == television.asked["user_code"]
    window.press("Continue")
    assert (window.title, "Television" in window.text, email in window.text) == ("Connect this device?", True, True)
    window.look("device-decision")


@pytest.mark.parametrize("signs", [False, True], ids=["public", "with a key"])
def test_openid_client_signs_in_on_a_device(
    signs: bool, service: Service, email: str, here: Window, tmp_path: Path
) -> None:
    with device(service, tmp_path, signs=signs) as television:
        assert television.asked["verification_uri"] == f"{service.url}/device/"
        open_link(here, email, television)
        here.press("Allow")
        assert here.title == "Device connected"

        got = television.answer()

        assert "claims" in got, got
        assert (got["claims"]["iss"], got["userinfo"]["email"]) == (service.url, email)
        assert (got["isNew"], got["type"]) == (True, "dpop" if signs else "bearer")


def test_openid_client_hears_that_the_person_denies(service: Service, email: str, here: Window, tmp_path: Path) -> None:
    with device(service, tmp_path, signs=False) as television:
        open_link(here, email, television)
        here.press("Deny")
        assert here.title == "Access denied"

        assert television.answer()["error"] == "access_denied"


def test_a_code_that_is_typed_by_hand(service: Service, email: str, here: Window, tmp_path: Path) -> None:
    """In small letters and without the hyphen. A wrong one is told beside the field."""
    with device(service, tmp_path, signs=False) as television:
        here.open(television.asked["verification_uri"])
        here.fill(identifier=email, password=PASSWORD)
        here.press("Sign in")
        here.fill(user_code="bbbb-bbbb")
        here.press("Continue")
        assert here.error_beside("user_code") == "This code is wrong, or it has expired."
        here.fill(user_code=television.asked["user_code"].replace("-", "").lower())
        here.press("Continue")
        here.press("Allow")

        assert television.answer()["userinfo"]["email"] == email
