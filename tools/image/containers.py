"""The containers of docker-compose.yml, each in a sandbox, in a network of their own."""

import socket
import struct
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from image.build import Image
from image.sandbox import Sandbox

#: Where the DNS of a container network listens.
_DNS = ("127.0.0.11", 53)

#: How long a container may take to become healthy or to end, in seconds.
_PATIENCE = 180.0


class ContainerFailed(Exception):
    """A container ended with an error, or did not become healthy. The message has its log."""


class Containers:
    """The containers of one compose file.

    Args:
        services: ``services`` of the file, with its variables replaced.
        image: The image of the services that are built.
        secrets: The variables in ``.env``.
        root: The folder of the file.
        scratch: A folder for volumes and logs.
        addresses: The address of each service.
    """

    def __init__(
        self, services: Mapping[str, Any], image: Image, secrets: Mapping[str, str], *,
        root: Path, scratch: Path, addresses: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._services = services
        self._image = image
        self._secrets = secrets
        self._root = root
        self._scratch = scratch
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._network = scratch / "network"
        (self._network / "etc").mkdir(parents=True)
        (self._network / "etc/resolv.conf").write_text(f"nameserver {_DNS[0]}\n")
        hosts = "".join(f"{address} {name}\n" for name, address in addresses.items())
        (self._network / "etc/hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
        threading.Thread(target=answer_names, args=(addresses,), daemon=True).start()

    def start(self, name: str) -> None:
        """Start a service."""
        service = self._services[name]
        entrypoint, command = service.get("entrypoint", []), service.get("command", self._image.command)
        self._running[name] = self._start(name, [*entrypoint, *command], self._log(name))

    def run(self, name: str) -> None:
        """Run a service that ends by itself.

        Raises:
            ContainerFailed: it failed.
        """
        self.start(name)
        if self._running.pop(name).wait(_PATIENCE) != 0:
            raise ContainerFailed(f"{name}:\n{self.log(name)}")

    def wait_until_healthy(self, name: str) -> None:
        """Repeat the health check of a running service until it succeeds.

        Raises:
            ContainerFailed: the service ended, or the check does not succeed.
        """
        test = self._services[name]["healthcheck"]["test"]
        command = ["sh", "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]
        deadline = time.monotonic() + _PATIENCE
        while self._execute_quietly(name, command) != 0:
            if time.monotonic() > deadline or (name in self._running and self._running[name].poll() is not None):
                raise ContainerFailed(f"{name} is not healthy:\n{self.log(name)}")
            time.sleep(1)

    def execute(self, name: str, *command: str) -> str:
        """Run a command as ``docker compose exec`` does. Return what it prints.

        Raises:
            ContainerFailed: it failed.
        """
        path = self._scratch / "execute.log"
        with path.open("w") as output:
            status = self._enter(name, command, output).wait(_PATIENCE)
        if status != 0:
            raise ContainerFailed(f"{name}: {' '.join(command)}\n{path.read_text()}")
        return path.read_text()

    def log(self, name: str) -> str:
        """Return what a service printed."""
        path = self._scratch / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def stop(self) -> dict[str, int]:
        """Stop all services, the last one first. Return their exit statuses."""
        statuses = {}
        for name, process in reversed(self._running.items()):
            process.terminate()
            try:
                statuses[name] = process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                statuses[name] = process.wait()
        return statuses

    def _execute_quietly(self, name: str, command: list[str]) -> int:
        with (self._scratch / "health.log").open("w") as output:
            return self._enter(name, command, output).wait(_PATIENCE)

    def _enter(self, name: str, command: Any, output: Any) -> "subprocess.Popen[str]":
        """Start *command* beside a running service: in its file systems, as its user."""
        if name not in self._running:
            return self._start(name, list(command), output)
        process = self._running[name]
        user, _colon, group = self._user(name).partition(":")
        words = ["nsenter", "--target", str(process.pid), "--mount", "--root", "--wd", "setpriv", f"--reuid={user}",
                 f"--regid={group}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "env",
                 "--ignore-environment", *(f"{key}={value}" for key, value in self._environment(name).items())]  # fmt: skip
        return subprocess.Popen([*words, *command], stdout=output, stderr=subprocess.STDOUT, text=True)

    def _start(self, name: str, command: list[str], output: Any) -> "subprocess.Popen[str]":
        service = self._services[name]
        binds = dict(self._bound(volume) for volume in service.get("volumes", []))
        for path in (*binds, *(path.partition(":")[0] for path in service["tmpfs"])):
            # An engine makes missing mount points too.
            if not Path(path).exists():
                (self._network / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        layers = [self._network, *(self._image.layers if "build" in service else [])]
        sandbox = Sandbox(
            layers=layers,
            binds=binds,
            temporary=service["tmpfs"],
            user=self._user(name),
        )
        folder = self._image.folder if "build" in service else "/"
        return sandbox.start(command, environment=self._environment(name), folder=folder, output=output)

    def _environment(self, name: str) -> dict[str, str]:
        service = self._services[name]
        if "build" not in service:
            return {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/bin", **service.get("environment", {})}
        return {**self._image.environment, **self._secrets, **service["environment"]}

    def _user(self, name: str) -> str:
        user: str = self._services[name].get("user") or self._image.user
        return user

    def _bound(self, volume: str) -> tuple[str, Path]:
        source, target, *_options = volume.split(":")
        if source.startswith("."):
            return target, self._root / source
        folder = self._scratch / "volumes" / source
        folder.mkdir(parents=True, exist_ok=True)
        return target, folder

    def _log(self, name: str) -> Any:
        return (self._scratch / f"{name}.log").open("w")


def answer_names(addresses: Mapping[str, str]) -> None:
    """Answer DNS queries for the services, as the DNS of a container network does (RFC 1035)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(_DNS)
        while True:
            query, client = server.recvfrom(512)
            server.sendto(_answer(query, addresses), client)


def _answer(query: bytes, addresses: Mapping[str, str]) -> bytes:
    labels, position = [], 12
    while length := query[position]:
        labels.append(query[position + 1 : position + 1 + length].decode())
        position += 1 + length
    question = query[12 : position + 5]
    address = addresses.get(".".join(labels), "")
    is_known = address and struct.unpack("!H", question[-4:-2])[0] == 1
    header = query[:2] + struct.pack("!HHHHH", 0x8180, 1, int(bool(is_known)), 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + socket.inet_aton(address) if is_known else b""
    return header + question + record
